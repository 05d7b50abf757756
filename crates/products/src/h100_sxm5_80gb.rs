//! NVIDIA H100 SXM5 80GB. Figures: those of `nvidia-smi mig -lgip`.

use super::eight_slices::{profiles, size};
use super::{Architecture, Mig, ModeChange, Product, Profile};

/// MiB, multiprocessors; copy engines, decoders, JPEG decoders.
const PROFILES: [Profile; 7] = profiles([
    size("1g.10gb", 9_984, 16, [1, 1, 1]),
    size("2g.20gb", 20_096, 32, [2, 2, 2]),
    size("3g.40gb", 40_448, 60, [3, 3, 3]),
    size("4g.40gb", 40_448, 64, [4, 4, 4]),
    size("7g.80gb", 81_152, 132, [8, 7, 7]),
    size("1g.10gb+me", 9_984, 16, [1, 1, 1]),
    size("1g.20gb", 20_096, 26, [1, 1, 1]),
]);

pub(super) const PRODUCT: Product = Product {
    key: "H100-SXM5-80GB",
    name: "NVIDIA H100 80GB HBM3",
    architecture: Architecture::Hopper,
    compute_capability: (9, 0),
    pci_device_id: 0x2330_10DE,
    pci_subsystem_id: 0x16C1_10DE,
    memory_mib: 81_559,
    mig: Some(Mig {
        mode_change: ModeChange::AtOnce,
        compute_slices: 7,
        memory_slices: 8,
        profiles: &PROFILES,
    }),
};
