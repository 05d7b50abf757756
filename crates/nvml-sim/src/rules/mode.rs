//! MIG mode, reset and reboot.

use super::{gpu, gpu_mut, mig};
use crate::Code;
use crate::state::{ComputeMode, Gpu, MigMode, State, Until};
use products::ModeChange;

/// What became of an accepted change of MIG mode: NVML's `activationStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// In effect.
    Done,
    /// Pending, for this reason.
    Pending(Code),
}

/// Sets MIG mode, as `nvmlDeviceSetMigMode`.
///
/// A product that changes by reset is reset when idle, and keeps the mode pending when busy; one
/// that changes at once refuses when busy. A mode that is stuck until a reset stays pending as if the GPU were busy with
/// something that is no process; one that is stuck until a reboot as on a virtual machine that may not reset its GPU.
///
/// # Errors
/// `NOT_SUPPORTED` without MIG; `IN_USE` when disabling with instances, or busy without reset.
pub fn set_mig_mode(state: &mut State, index: usize, enable: bool) -> Result<Activation, Code> {
    let change = mig(gpu(state, index)?)?.mode_change;
    let gpu = gpu_mut(state, index)?;
    if !enable && !gpu.instances.is_empty() {
        return Err(Code::InUse);
    }
    if gpu.mig_enabled() == enable {
        gpu.mig_mode = Some(MigMode {
            current: enable,
            pending: enable,
        });
        return Ok(Activation::Done);
    }
    match (gpu.mode_stuck, gpu.processes.is_empty(), change) {
        (Some(Until::Reboot), _, _) => Ok(keep_pending(gpu, enable, Code::ResetRequired)),
        (None, true, ModeChange::ByReset | ModeChange::AtOnce) => {
            gpu.mig_mode = Some(MigMode {
                current: enable,
                pending: enable,
            });
            Ok(Activation::Done)
        }
        (Some(Until::Reset), _, _) | (None, false, ModeChange::ByReset) => {
            Ok(keep_pending(gpu, enable, Code::InUse))
        }
        (None, false, ModeChange::AtOnce) => Err(Code::InUse),
    }
}

fn keep_pending(gpu: &mut Gpu, enable: bool, why: Code) -> Activation {
    gpu.mig_mode = gpu.mig_mode.map(|mode| MigMode {
        pending: enable,
        ..mode
    });
    Activation::Pending(why)
}

/// Resets an idle GPU, as `nvidia-smi --gpu-reset`: instances go, the pending mode takes effect, unless it is stuck until
/// a reboot.
///
/// # Errors
/// `IN_USE` while a process holds the GPU or one of its MIG devices.
pub fn reset(state: &mut State, index: usize) -> Result<(), Code> {
    let gpu = gpu_mut(state, index)?;
    if !gpu.processes.is_empty() {
        return Err(Code::InUse);
    }
    gpu.instances.clear();
    if gpu.mode_stuck != Some(Until::Reboot) {
        gpu.mig_mode = gpu.mig_mode.map(|mode| MigMode {
            current: mode.pending,
            ..mode
        });
    }
    Ok(())
}

/// Reboots the node: a new boot id, no processes, no instances, compute modes back to default.
///
/// A pending MIG mode takes effect. Where the mode lives in the driver it is off afterwards; where
/// it is kept in the GPU it stays. Faults stay as they are.
pub fn reboot(state: &mut State) {
    state.boot_id = state.new_uuid();
    for gpu in &mut state.gpus {
        gpu.processes.clear();
        gpu.instances.clear();
        gpu.compute_mode = ComputeMode::Default;
        gpu.mode_stuck = None;
        let Ok(mig) = mig(gpu) else { continue };
        gpu.mig_mode = gpu.mig_mode.map(|mode| {
            let after = match mig.mode_change {
                ModeChange::ByReset => mode.pending,
                ModeChange::AtOnce => false,
            };
            MigMode {
                current: after,
                pending: after,
            }
        });
    }
}
