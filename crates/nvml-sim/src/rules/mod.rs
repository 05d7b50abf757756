//! The driver's rules as plain functions over the state: check everything, then change.
//!
//! A rule that answers an error has changed nothing.

mod compute_instance;
mod gpu_instance;
mod listing;
mod mode;
mod placement;
mod process;
#[cfg(test)]
mod tests;

pub use compute_instance::{
    compute_placements, compute_remaining, create_compute_instance, destroy_compute_instance,
};
pub use gpu_instance::{create_gpu_instance, destroy_gpu_instance};
pub use listing::{profile_by_index, said_count};
pub use mode::{Activation, reboot, reset, set_mig_mode};
pub use placement::remaining_capacity;
pub use process::{attach, detach};

use crate::Code;
use crate::state::{ComputeInstance, Gpu, GpuInstance, State};
use products::Mig;

/// The GPU at this index.
///
/// # Errors
/// `INVALID_ARGUMENT` for an index out of range, `GPU_IS_LOST` for a lost GPU.
pub fn gpu(state: &State, index: usize) -> Result<&Gpu, Code> {
    let gpu = state.gpus.get(index).ok_or(Code::InvalidArgument)?;
    if gpu.lost {
        Err(Code::GpuIsLost)
    } else {
        Ok(gpu)
    }
}

/// As [`gpu()`], to change it.
pub fn gpu_mut(state: &mut State, index: usize) -> Result<&mut Gpu, Code> {
    gpu(state, index)?;
    state.gpus.get_mut(index).ok_or(Code::InvalidArgument)
}

/// What MIG offers on this GPU.
///
/// # Errors
/// `NOT_SUPPORTED` without MIG.
pub fn mig(gpu: &Gpu) -> Result<&'static Mig, Code> {
    gpu.product()
        .and_then(|product| product.mig.as_ref())
        .ok_or(Code::NotSupported)
}

/// As [`mig`], and MIG mode is in effect.
pub fn enabled_mig(gpu: &Gpu) -> Result<&'static Mig, Code> {
    mig(gpu).and_then(|mig| {
        if gpu.mig_enabled() {
            Ok(mig)
        } else {
            Err(Code::NotSupported)
        }
    })
}

/// The GPU instance with this serial.
///
/// # Errors
/// `NOT_FOUND` if it is gone.
pub fn instance(gpu: &Gpu, serial: u64) -> Result<&GpuInstance, Code> {
    gpu.instances
        .iter()
        .find(|gi| gi.serial == serial)
        .ok_or(Code::NotFound)
}

/// The compute instance with this serial, and its GPU instance.
///
/// # Errors
/// `NOT_FOUND` if it is gone.
pub fn compute_instance(gpu: &Gpu, serial: u64) -> Result<(&GpuInstance, &ComputeInstance), Code> {
    gpu.compute_instances()
        .find(|(_, ci)| ci.serial == serial)
        .ok_or(Code::NotFound)
}

/// The lowest number from `first` that is not among `used`.
fn lowest_free(first: u32, used: impl ExactSizeIterator<Item = u32> + Clone) -> u32 {
    let most = first + u32::try_from(used.len()).unwrap_or(u32::MAX - first);
    (first..most)
        .find(|id| used.clone().all(|other| other != *id))
        .unwrap_or(most)
}
