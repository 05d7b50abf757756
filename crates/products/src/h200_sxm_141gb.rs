//! NVIDIA H200 SXM 141GB. Figures: those of `nvidia-smi mig -lgip` (mig-parted, issue 120).
//!
//! go-nvml's mock says 18432 MiB for the 1g, an eighth of 144 GiB: more than an eighth of what NVML reports for the
//! whole, so clients would call it `1g.35gb`.

use super::eight_slices::{profiles, size};
use super::{Architecture, Mig, ModeChange, Product, Profile};

/// MiB, multiprocessors; copy engines, decoders, JPEG decoders.
const PROFILES: [Profile; 7] = profiles([
    size("1g.18gb", 16_384, 16, [1, 1, 1]),
    size("2g.35gb", 33_024, 32, [2, 2, 2]),
    size("3g.71gb", 71_168, 60, [3, 3, 3]),
    size("4g.71gb", 71_168, 64, [4, 4, 4]),
    size("7g.141gb", 143_360, 132, [8, 7, 7]),
    size("1g.18gb+me", 16_384, 16, [1, 1, 1]),
    size("1g.35gb", 33_024, 26, [1, 1, 1]),
]);

pub(super) const PRODUCT: Product = Product {
    key: "H200-SXM-141GB",
    name: "NVIDIA H200",
    architecture: Architecture::Hopper,
    compute_capability: (9, 0),
    pci_device_id: 0x2335_10DE,
    pci_subsystem_id: 0x18BE_10DE,
    memory_mib: 143_771,
    mig: Some(Mig {
        mode_change: ModeChange::AtOnce,
        compute_slices: 7,
        memory_slices: 8,
        profiles: &PROFILES,
    }),
};
