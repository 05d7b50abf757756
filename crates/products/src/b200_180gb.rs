//! NVIDIA B200 180GB. Figures: those of `nvidia-smi mig -lgip` (mig-parted, pull request 187) up to the 2g; copy engines
//! from NVIDIA's MIG user guide.
//!
//! Derived are memory and multiprocessors of the 3g, 4g and 7g: a little less than half and the whole of what NVML
//! reports, 18 multiprocessors for each compute slice, and all 148 for the 7g. go-nvml's mock is of no use: its 1g is
//! more than an eighth of the whole, so clients would call it `1g.45gb`.

use super::eight_slices::{profiles, size};
use super::{Architecture, Mig, ModeChange, Product, Profile};

/// MiB, multiprocessors; copy engines, decoders, JPEG decoders.
const PROFILES: [Profile; 7] = profiles([
    size("1g.23gb", 20_992, 18, [2, 1, 1]),
    size("2g.45gb", 45_312, 36, [4, 2, 2]),
    size("3g.90gb", 91_136, 70, [6, 3, 3]),
    size("4g.90gb", 91_136, 72, [8, 4, 4]),
    size("7g.180gb", 182_784, 148, [16, 7, 7]),
    size("1g.23gb+me", 20_992, 18, [2, 1, 1]),
    size("1g.45gb", 45_312, 30, [2, 1, 1]),
]);

pub(super) const PRODUCT: Product = Product {
    key: "B200-180GB",
    name: "NVIDIA B200",
    architecture: Architecture::Blackwell,
    compute_capability: (10, 0),
    pci_device_id: 0x2901_10DE,
    pci_subsystem_id: 0x1999_10DE,
    memory_mib: 183_359,
    mig: Some(Mig {
        mode_change: ModeChange::AtOnce,
        compute_slices: 7,
        memory_slices: 8,
        profiles: &PROFILES,
    }),
};
