//! Creating and destroying GPU instances.

use super::placement::{best_start, free_starts};
use super::{enabled_mig, gpu, gpu_mut, instance, lowest_free};
use crate::Code;
use crate::state::{Gpu, GpuInstance, State};
use products::Profile;

/// Creates a GPU instance, at `start` or where most room is left. Returns its serial.
///
/// # Errors
/// `NOT_SUPPORTED` while MIG is off, `INVALID_ARGUMENT` for a profile id or start that the product
/// does not have, `INSUFFICIENT_RESOURCES` when it does not fit beside what exists.
pub fn create_gpu_instance(
    state: &mut State,
    index: usize,
    profile_id: u32,
    start: Option<u32>,
) -> Result<u64, Code> {
    let on = gpu(state, index)?;
    let mig = enabled_mig(on)?;
    let profile = mig.by_id(profile_id).ok_or(Code::InvalidArgument)?;
    let start = match start {
        Some(start) if !profile.starts.contains(&start) => return Err(Code::InvalidArgument),
        Some(start) => free_starts(on, mig, profile)
            .contains(&start)
            .then_some(start),
        None => best_start(on, mig, profile),
    };
    let start = start.ok_or(Code::InsufficientResources)?;
    let id = new_id(on, profile, mig.memory_slices);
    let serial = state.next_serial();
    let gi = GpuInstance {
        id,
        serial,
        profile_id,
        start,
        compute: Vec::new(),
    };
    gpu_mut(state, index)?.instances.push(gi);
    Ok(serial)
}

/// The instance that is the whole GPU has id 0, others the lowest free from 1.
fn new_id(gpu: &Gpu, profile: &Profile, memory_slices: u32) -> u32 {
    let first = u32::from(profile.memory_slices != memory_slices);
    lowest_free(first, gpu.instances.iter().map(|gi| gi.id))
}

/// Destroys a GPU instance.
///
/// # Errors
/// `NOT_FOUND` if it is gone, `IN_USE` while it has compute instances.
pub fn destroy_gpu_instance(state: &mut State, index: usize, serial: u64) -> Result<(), Code> {
    // Processes run on compute instances only, so their absence is that of processes too.
    if !instance(gpu(state, index)?, serial)?.compute.is_empty() {
        return Err(Code::InUse);
    }
    gpu_mut(state, index)?
        .instances
        .retain(|gi| gi.serial != serial);
    Ok(())
}
