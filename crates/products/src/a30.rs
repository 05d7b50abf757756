//! NVIDIA A30. Figures: those of `nvidia-smi mig -lgip` and `-lgipp`.

use super::four_slices::{FOUR, ONE, ONE_ME, Parts, TWO, TWO_ME};
use super::{Architecture, Mig, ModeChange, Product, Profile};

const PARTS: Parts = Parts {
    slices_of_a_quarter: 1,
    memory_mib: [5_952, 11_968, 24_000],
    multiprocessors: [14, 28, 56],
};

/// Decoders, encoders, JPEG decoders, optical flow accelerators. There is one of the last two, so one `+me` of any size.
const PROFILES: [Profile; 5] = [
    PARTS.profile(&ONE, "1g.6gb", [1, 0, 0, 0]),
    PARTS.profile(&TWO, "2g.12gb", [2, 0, 0, 0]),
    PARTS.profile(&FOUR, "4g.24gb", [4, 0, 1, 1]),
    PARTS.profile(&ONE_ME, "1g.6gb+me", [1, 0, 1, 1]),
    PARTS.profile(&TWO_ME, "2g.12gb+me", [2, 0, 1, 1]),
];

pub(super) const PRODUCT: Product = Product {
    key: "A30",
    name: "NVIDIA A30",
    architecture: Architecture::Ampere,
    compute_capability: (8, 0),
    pci_device_id: 0x20B7_10DE,
    pci_subsystem_id: 0x1532_10DE,
    memory_mib: 24_576,
    mig: Some(Mig {
        mode_change: ModeChange::ByReset,
        compute_slices: 4,
        memory_slices: 4,
        profiles: &PROFILES,
    }),
};
