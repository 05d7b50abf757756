//! Processes that come to a device and leave it.

use super::gpu;
use crate::Code;
use crate::state::{Gpu, Process, State};

/// Puts a process on a GPU, or on the MIG device that it names. A process that is there already is
/// replaced.
///
/// # Errors
/// `NOT_FOUND` for a MIG device that this GPU does not have, `INSUFFICIENT_MEMORY` (20) when its
/// memory does not fit beside that of the others.
pub fn attach(state: &mut State, index: usize, process: Process) -> Result<(), Code> {
    let on = gpu(state, index)?;
    let limit = memory_of(on, process.mig_uuid.as_deref())?;
    let same = |other: &Process| other.pid == process.pid && other.mig_uuid == process.mig_uuid;
    let others: u64 = on
        .processes_on(process.mig_uuid.as_deref())
        .filter(|other| !same(other))
        .map(|other| other.memory_mib)
        .sum();
    if others.saturating_add(process.memory_mib) > limit {
        return Err(Code::Memory);
    }
    let gpu = super::gpu_mut(state, index)?;
    gpu.processes.retain(|other| !same(other));
    gpu.processes.push(process);
    Ok(())
}

/// MiB of the whole GPU or of one of its MIG devices.
fn memory_of(gpu: &Gpu, mig_uuid: Option<&str>) -> Result<u64, Code> {
    let Some(uuid) = mig_uuid else {
        return Ok(gpu.product().map_or(0, |product| product.memory_mib));
    };
    let (gi, _) = gpu
        .compute_instances()
        .find(|(_, ci)| ci.uuid == uuid)
        .ok_or(Code::NotFound)?;
    Ok(gpu
        .profile(gi.profile_id)
        .map_or(0, |profile| profile.memory_mib))
}

/// Takes a process off every device. Returns the number of devices it left.
pub fn detach(state: &mut State, pid: u32) -> usize {
    let held = |state: &State| {
        state
            .gpus
            .iter()
            .map(|gpu| gpu.processes.len())
            .sum::<usize>()
    };
    let before = held(state);
    for gpu in &mut state.gpus {
        gpu.processes.retain(|process| process.pid != pid);
    }
    before - held(state)
}
