//! Creating and destroying compute instances, each of which is a MIG device.

use super::{compute_instance, gpu, gpu_mut, instance, lowest_free};
use crate::Code;
use crate::state::{ComputeInstance, Gpu, GpuInstance, State};
use products::{ComputeProfile, compute_profiles};

/// What may be made inside this GPU instance, smallest first.
pub fn compute_placements(gpu: &Gpu, gi: &GpuInstance) -> &'static [ComputeProfile] {
    gpu.profile(gi.profile_id).map_or(&[], compute_profiles)
}

/// How many more compute instances of `profile` fit.
pub fn compute_remaining(gpu: &Gpu, gi: &GpuInstance, profile: &ComputeProfile) -> u32 {
    let mut used = used(gpu, gi);
    let mut count = 0;
    for start in profile.starts {
        if used & slices(profile, *start) == 0 {
            used |= slices(profile, *start);
            count += 1;
        }
    }
    count
}

/// Creates a compute instance, at `start` or the lowest free one. Returns its serial.
///
/// # Errors
/// `NOT_FOUND` if the GPU instance is gone, `INVALID_ARGUMENT` for a profile or start that it does
/// not have, `INSUFFICIENT_RESOURCES` when it does not fit.
pub fn create_compute_instance(
    state: &mut State,
    index: usize,
    gi_serial: u64,
    profile_id: u32,
    start: Option<u32>,
) -> Result<u64, Code> {
    let on = gpu(state, index)?;
    let gi = instance(on, gi_serial)?;
    let profile = compute_placements(on, gi)
        .iter()
        .find(|profile| profile.id == profile_id)
        .ok_or(Code::InvalidArgument)?;
    if start.is_some_and(|start| !profile.starts.contains(&start)) {
        return Err(Code::InvalidArgument);
    }
    let used = used(on, gi);
    let start = profile
        .starts
        .iter()
        .copied()
        .find(|s| start.is_none_or(|start| start == *s) && used & slices(profile, *s) == 0)
        .ok_or(Code::InsufficientResources)?;
    let id = lowest_free(0, gi.compute.iter().map(|ci| ci.id));
    let taken: Vec<u32> = on.compute_instances().map(|(_, ci)| ci.mig_index).collect();
    let mig_index = lowest_free(0, taken.into_iter());
    let (serial, uuid) = (state.next_serial(), format!("MIG-{}", state.new_uuid()));
    let ci = ComputeInstance {
        id,
        serial,
        mig_index,
        uuid,
        profile_id,
        start,
    };
    if let Some(gi) = gpu_mut(state, index)?
        .instances
        .iter_mut()
        .find(|gi| gi.serial == gi_serial)
    {
        gi.compute.push(ci);
    }
    Ok(serial)
}

/// Destroys a compute instance.
///
/// # Errors
/// `NOT_FOUND` if it is gone, `IN_USE` while a process runs on it.
pub fn destroy_compute_instance(state: &mut State, index: usize, serial: u64) -> Result<(), Code> {
    let on = gpu(state, index)?;
    let (_, ci) = compute_instance(on, serial)?;
    if on.processes_on(Some(&ci.uuid)).next().is_some() {
        return Err(Code::InUse);
    }
    for gi in &mut gpu_mut(state, index)?.instances {
        gi.compute.retain(|ci| ci.serial != serial);
    }
    Ok(())
}

/// The compute slices of a GPU instance in use, one bit each.
fn used(gpu: &Gpu, gi: &GpuInstance) -> u32 {
    gi.compute
        .iter()
        .filter_map(|ci| {
            let profiles = compute_placements(gpu, gi);
            let profile = profiles
                .iter()
                .find(|profile| profile.id == ci.profile_id)?;
            Some(slices(profile, ci.start))
        })
        .fold(0, |used, slices| used | slices)
}

const fn slices(profile: &ComputeProfile, start: u32) -> u32 {
    ((1 << profile.slices) - 1) << start
}
