//! Tesla V100-SXM2-32GB: no MIG.

use super::{Architecture, Product};

pub(super) const PRODUCT: Product = Product {
    key: "V100-SXM2-32GB",
    name: "Tesla V100-SXM2-32GB",
    architecture: Architecture::Volta,
    compute_capability: (7, 0),
    pci_device_id: 0x1DB5_10DE,
    pci_subsystem_id: 0x1249_10DE,
    memory_mib: 32_768,
    mig: None,
};
