//! NVIDIA A100-SXM4-80GB. Figures: go-nvml's mock of it; drivers differ by some hundred MiB.

use super::eight_slices::{profiles, size};
use super::{Architecture, Mig, ModeChange, Product, Profile};

/// MiB, multiprocessors; copy engines, decoders, JPEG decoders.
const PROFILES: [Profile; 7] = profiles([
    size("1g.10gb", 9_856, 14, [1, 0, 0]),
    size("2g.20gb", 19_968, 28, [2, 1, 0]),
    size("3g.40gb", 40_192, 42, [3, 2, 0]),
    size("4g.40gb", 40_192, 56, [4, 2, 0]),
    size("7g.80gb", 80_384, 98, [7, 5, 1]),
    size("1g.10gb+me", 9_856, 14, [1, 1, 1]),
    size("1g.20gb", 19_968, 14, [1, 1, 0]),
]);

pub(super) const PRODUCT: Product = Product {
    key: "A100-SXM4-80GB",
    name: "NVIDIA A100-SXM4-80GB",
    architecture: Architecture::Ampere,
    compute_capability: (8, 0),
    pci_device_id: 0x20B2_10DE,
    pci_subsystem_id: 0x1463_10DE,
    memory_mib: 81_920,
    mig: Some(Mig {
        mode_change: ModeChange::ByReset,
        compute_slices: 7,
        memory_slices: 8,
        profiles: &PROFILES,
    }),
};
