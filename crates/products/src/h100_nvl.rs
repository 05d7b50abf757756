//! NVIDIA H100 NVL with 94 GB. Figures: those of `nvidia-smi mig -lgip` (gpu-operator, pull request 903).

use super::eight_slices::{profiles, size};
use super::{Architecture, Mig, ModeChange, Product, Profile};

/// MiB, multiprocessors; copy engines, decoders, JPEG decoders.
const PROFILES: [Profile; 7] = profiles([
    size("1g.12gb", 11_008, 16, [1, 1, 1]),
    size("2g.24gb", 22_144, 32, [2, 2, 2]),
    size("3g.47gb", 47_488, 60, [3, 3, 3]),
    size("4g.47gb", 47_488, 64, [4, 4, 4]),
    size("7g.94gb", 95_360, 132, [8, 7, 7]),
    size("1g.12gb+me", 11_008, 16, [1, 1, 1]),
    size("1g.24gb", 22_144, 26, [1, 1, 1]),
]);

pub(super) const PRODUCT: Product = Product {
    key: "H100-NVL",
    name: "NVIDIA H100 NVL",
    architecture: Architecture::Hopper,
    compute_capability: (9, 0),
    pci_device_id: 0x2321_10DE,
    pci_subsystem_id: 0x1839_10DE,
    memory_mib: 95_830,
    mig: Some(Mig {
        mode_change: ModeChange::AtOnce,
        compute_slices: 7,
        memory_slices: 8,
        profiles: &PROFILES,
    }),
};
