//! Compute instance profiles: how the compute slices inside one GPU instance may be divided.

use super::Profile;

/// A compute instance profile inside a GPU instance of some size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComputeProfile {
    /// Number in NVML's enum, and the id by which instances are created.
    pub id: u32,
    /// Compute slices.
    pub slices: u32,
    /// Compute slices of the GPU instance at which it may start.
    pub starts: &'static [u32],
}

/// One row per size of GPU instance: (its slices, what may be made inside).
///
/// The starts are those of go-nvml's mock tables; a 3-slice GPU instance holds one 2c, a 7-slice
/// one three.
const TABLE: &[(u32, &[ComputeProfile])] = &[
    (1, &[row(0, 1, &[0])]),
    (2, &[row(0, 1, &[0, 1]), row(1, 2, &[0])]),
    (
        3,
        &[row(0, 1, &[0, 1, 2]), row(1, 2, &[0]), row(2, 3, &[0])],
    ),
    (
        4,
        &[
            row(0, 1, &[0, 1, 2, 3]),
            row(1, 2, &[0, 2]),
            row(3, 4, &[0]),
        ],
    ),
    (
        7,
        &[
            row(0, 1, &[0, 1, 2, 3, 4, 5, 6]),
            row(1, 2, &[0, 2, 4]),
            row(2, 3, &[0, 4]),
            row(3, 4, &[0]),
            row(4, 7, &[0]),
        ],
    ),
];

/// What may be made inside a 1g that has more multiprocessors than a compute slice stands for: one with those of a slice,
/// and one with all (`NVML_COMPUTE_INSTANCE_PROFILE_1_SLICE_REV1`). On an H100 and on a GH200 `nvidia-smi mig -cgi 15 -C`
/// fills the 1g with double memory by the second, and lists it with 26 multiprocessors.
const WIDE: &[ComputeProfile] = &[row(0, 1, &[0]), row(7, 1, &[0])];

const fn row(id: u32, slices: u32, starts: &'static [u32]) -> ComputeProfile {
    ComputeProfile { id, slices, starts }
}

/// What may be made inside an instance of `profile`, smallest first; the last fills it.
pub fn compute_profiles(profile: &Profile) -> &'static [ComputeProfile] {
    let slices = profile.compute_slices;
    if slices == 1 && profile.multiprocessors > profile.multiprocessors_of_a_slice {
        return WIDE;
    }
    TABLE
        .iter()
        .find(|(found, _)| *found == slices)
        .map_or(&[], |(_, profiles)| profiles)
}

impl ComputeProfile {
    /// The name inside `profile`: `3g.20gb` when it fills it, else `1c.3g.20gb`.
    pub fn name(&self, profile: &Profile) -> String {
        if self.slices == profile.compute_slices {
            profile.name.to_owned()
        } else {
            format!("{}c.{}", self.slices, profile.name)
        }
    }

    /// Its part of the GPU instance's multiprocessors: all for the one that fills it.
    pub fn multiprocessors(&self, profile: &Profile) -> u32 {
        match compute_profiles(profile).last() {
            Some(whole) if whole == self => profile.multiprocessors,
            _ => profile.multiprocessors_of_a_slice * self.slices,
        }
    }
}
