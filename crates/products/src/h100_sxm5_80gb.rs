//! NVIDIA H100 SXM5 80GB.

use super::eight_slices::{profiles, size};
use super::{Architecture, Mig, ModeChange, Product, Profile};

/// MiB, multiprocessors, decoders, JPEG decoders.
const PROFILES: [Profile; 7] = profiles([
    size("1g.10gb", 10_240, 16, 1, 1),
    size("2g.20gb", 20_480, 32, 2, 2),
    size("3g.40gb", 40_960, 48, 3, 3),
    size("4g.40gb", 40_960, 64, 4, 4),
    size("7g.80gb", 81_920, 112, 7, 7),
    size("1g.10gb+me", 10_240, 16, 1, 1),
    size("1g.20gb", 20_480, 16, 1, 1),
]);

pub(super) const PRODUCT: Product = Product {
    key: "H100-SXM5-80GB",
    name: "NVIDIA H100 80GB HBM3",
    architecture: Architecture::Hopper,
    compute_capability: (9, 0),
    pci_device_id: 0x2330_10DE,
    pci_subsystem_id: 0x16C1_10DE,
    memory_mib: 81_920,
    mig: Some(Mig {
        mode_change: ModeChange::AtOnce,
        compute_slices: 7,
        memory_slices: 8,
        profiles: &PROFILES,
    }),
};
