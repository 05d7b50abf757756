//! Tesla T4: no MIG.

use super::{Architecture, Product};

pub(super) const PRODUCT: Product = Product {
    key: "T4",
    name: "Tesla T4",
    architecture: Architecture::Turing,
    compute_capability: (7, 5),
    pci_device_id: 0x1EB8_10DE,
    pci_subsystem_id: 0x12A2_10DE,
    memory_mib: 15_360,
    mig: None,
};
