//! Where a GPU instance may go, and where it is best put.

use crate::state::Gpu;
use products::{Mig, Profile};

/// What is in use on a GPU: memory slices as bits, compute slices and media engines as sums.
#[derive(Clone, Copy, Debug)]
struct Used {
    memory: u32,
    compute: u32,
    media: [u32; 4],
}

impl Used {
    fn of(gpu: &Gpu) -> Self {
        gpu.instances
            .iter()
            .filter_map(|gi| Some((gpu.profile(gi.profile_id)?, gi.start)))
            .fold(
                Self {
                    memory: 0,
                    compute: 0,
                    media: [0; 4],
                },
                |used, (profile, start)| used.with(profile, start),
            )
    }

    fn with(self, profile: &Profile, start: u32) -> Self {
        Self {
            memory: self.memory | slices(profile, start),
            compute: self.compute + profile.compute_slices,
            media: sum(self.media, profile.engines.media()),
        }
    }

    fn admits(self, mig: &Mig, profile: &Profile, start: u32) -> bool {
        self.memory & slices(profile, start) == 0
            && self.compute + profile.compute_slices <= mig.compute_slices
            && fit(sum(self.media, profile.engines.media()), mig.media())
    }
}

fn sum(some: [u32; 4], more: [u32; 4]) -> [u32; 4] {
    std::array::from_fn(|kind| some[kind] + more[kind])
}

/// An instance has its media engines to itself. So one kind that is used up refuses every profile that needs it: this
/// makes `+me` one of a kind, and lets nothing but `-me` stand beside a `+me.all` (`nvml.h`,
/// `NVML_GPU_INSTANCE_PROFILE_1_SLICE_ALL_ME`).
fn fit(used: [u32; 4], all: [u32; 4]) -> bool {
    used.iter().zip(all).all(|(used, all)| *used <= all)
}

/// The memory slices of a placement, one bit each.
const fn slices(profile: &Profile, start: u32) -> u32 {
    ((1 << profile.memory_slices) - 1) << start
}

/// Instances of `profile` that the GPU has.
fn existing(gpu: &Gpu, profile: &Profile) -> u32 {
    let count = gpu
        .instances
        .iter()
        .filter(|gi| gi.profile_id == profile.id)
        .count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Starts at which an instance of `profile` could be created now.
pub fn free_starts(gpu: &Gpu, mig: &Mig, profile: &Profile) -> Vec<u32> {
    if existing(gpu, profile) >= profile.max_instances {
        return Vec::new();
    }
    let used = Used::of(gpu);
    profile
        .starts
        .iter()
        .copied()
        .filter(|start| used.admits(mig, profile, *start))
        .collect()
}

/// How many more instances of `profile` could be created now.
pub fn remaining_capacity(gpu: &Gpu, mig: &Mig, profile: &Profile) -> u32 {
    let left = profile.max_instances.saturating_sub(existing(gpu, profile));
    capacity(Used::of(gpu), mig, profile).min(left)
}

/// Placements of one profile are of one size, so taking the lowest free start each time is optimal.
fn capacity(mut used: Used, mig: &Mig, profile: &Profile) -> u32 {
    let mut count = 0;
    for start in profile.starts {
        if used.admits(mig, profile, *start) {
            used = used.with(profile, *start);
            count += 1;
        }
    }
    count
}

/// The start that a driver chooses when it is not told: the one that leaves most room for the
/// largest profiles, then for the next; the lowest of equals.
pub fn best_start(gpu: &Gpu, mig: &Mig, profile: &Profile) -> Option<u32> {
    let mut largest_first: Vec<&Profile> = mig.profiles.iter().collect();
    largest_first.sort_by_key(|p| std::cmp::Reverse((p.memory_slices, p.compute_slices)));
    let used = Used::of(gpu);
    let room = |start: u32| -> Vec<u32> {
        let after = used.with(profile, start);
        largest_first
            .iter()
            .map(|other| capacity(after, mig, other))
            .collect()
    };
    let starts = free_starts(gpu, mig, profile);
    starts
        .into_iter()
        .max_by_key(|start| (room(*start), std::cmp::Reverse(*start)))
}
