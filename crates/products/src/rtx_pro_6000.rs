//! NVIDIA RTX PRO 6000 Blackwell Server Edition. Figures: those of `nvidia-smi mig -lgip` (container-engine-accelerators,
//! pull request 564) and `-lgipp`.
//!
//! Its placements are in twelfths, though no profile is smaller than three of them: who takes the start of an instance
//! for its number, or the size for its compute slices, is wrong here.

use super::four_slices::{
    FOUR, FOUR_GFX, ONE, ONE_ALL_ME, ONE_GFX, ONE_ME, ONE_NO_ME, Parts, TWO, TWO_ALL_ME, TWO_GFX,
    TWO_NO_ME,
};
use super::{Architecture, Mig, ModeChange, Product, Profile};

const PARTS: Parts = Parts {
    slices_of_a_quarter: 3,
    memory_mib: [24_192, 48_512, 97_408],
    multiprocessors: [46, 94, 188],
};

/// Decoders, encoders, JPEG decoders, optical flow accelerators. A `+me.all` takes all, and so leaves room for `-me` only.
const PROFILES: [Profile; 11] = [
    PARTS.profile(&ONE, "1g.24gb", [1, 1, 1, 0]),
    PARTS.profile(&TWO, "2g.48gb", [2, 2, 2, 0]),
    PARTS.profile(&FOUR, "4g.96gb", [4, 4, 4, 1]),
    PARTS.profile(&ONE_ME, "1g.24gb+me", [1, 1, 1, 1]),
    PARTS.profile(&ONE_GFX, "1g.24gb+gfx", [1, 1, 1, 0]),
    PARTS.profile(&TWO_GFX, "2g.48gb+gfx", [2, 2, 2, 0]),
    PARTS.profile(&FOUR_GFX, "4g.96gb+gfx", [4, 4, 4, 1]),
    PARTS.profile(&ONE_NO_ME, "1g.24gb-me", [0, 0, 0, 0]),
    PARTS.profile(&TWO_NO_ME, "2g.48gb-me", [0, 0, 0, 0]),
    PARTS.profile(&ONE_ALL_ME, "1g.24gb+me.all", [4, 4, 4, 1]),
    PARTS.profile(&TWO_ALL_ME, "2g.48gb+me.all", [4, 4, 4, 1]),
];

pub(super) const PRODUCT: Product = Product {
    key: "RTX-PRO-6000",
    name: "NVIDIA RTX PRO 6000 Blackwell Server Edition",
    architecture: Architecture::Blackwell,
    compute_capability: (12, 0),
    pci_device_id: 0x2BB5_10DE,
    pci_subsystem_id: 0x204E_10DE,
    memory_mib: 97_887,
    mig: Some(Mig {
        mode_change: ModeChange::AtOnce,
        compute_slices: 4,
        memory_slices: 12,
        profiles: &PROFILES,
    }),
};
