//! NVIDIA L4: no MIG.

use super::{Architecture, Product};

pub(super) const PRODUCT: Product = Product {
    key: "L4",
    name: "NVIDIA L4",
    architecture: Architecture::Ada,
    compute_capability: (8, 9),
    pci_device_id: 0x27B8_10DE,
    pci_subsystem_id: 0x16CA_10DE,
    memory_mib: 23_034,
    mig: None,
};
