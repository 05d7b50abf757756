//! The H100 with 96 GB, as it is on a GH200: the name that NVML gives counts the memory of the CPU. Figures: those of
//! `nvidia-smi mig -lgip` on one.

use super::eight_slices::{profiles, size};
use super::{Architecture, Mig, ModeChange, Product, Profile};

/// MiB, multiprocessors; copy engines, decoders, JPEG decoders.
const PROFILES: [Profile; 7] = profiles([
    size("1g.12gb", 11_264, 16, [1, 1, 1]),
    size("2g.24gb", 23_552, 32, [2, 2, 2]),
    size("3g.48gb", 47_616, 60, [3, 3, 3]),
    size("4g.48gb", 47_616, 64, [4, 4, 4]),
    size("7g.96gb", 95_232, 132, [8, 7, 7]),
    size("1g.12gb+me", 11_264, 16, [1, 1, 1]),
    size("1g.24gb", 23_552, 26, [1, 1, 1]),
]);

pub(super) const PRODUCT: Product = Product {
    key: "H100-96GB",
    name: "NVIDIA GH200 480GB",
    architecture: Architecture::Hopper,
    compute_capability: (9, 0),
    pci_device_id: 0x2342_10DE,
    pci_subsystem_id: 0x16EB_10DE,
    memory_mib: 97_871,
    mig: Some(Mig {
        mode_change: ModeChange::AtOnce,
        compute_slices: 7,
        memory_slices: 8,
        profiles: &PROFILES,
    }),
};
