//! The MIG device that a compute instance is.
//!
//! NVML leads from MIG devices to instances, and not back. The device in `nvmlComputeInstanceInfo_t` is the GPU by
//! NVML's documentation, and nvidia-smi prints its index as the GPU's. NVIDIA's DRA driver took it for the MIG device
//! until 0.5, so drivers may differ: both are understood.

use nvml_wrapper::Device;

use super::call::{Answer, Failure, wrapped};
use super::raw;
use crate::Code;

/// The MIG device with these numbers of GPU instance and compute instance; `device` is what the compute instance names.
///
/// # Errors
/// `NOT_FOUND` once the instance is gone.
pub fn of(device: Device<'_>, ids: (u32, u32)) -> Answer<Device<'_>> {
    let call = "nvmlDeviceIsMigDeviceHandle";
    if wrapped(call, device.mig_is_mig_device_handle())? {
        return Ok(device);
    }
    let most = wrapped("nvmlDeviceGetMaxMigDeviceCount", device.mig_device_count())?;
    for index in 0..most {
        let found = existing(at(&device, index))?;
        if let Some(mig) = found
            && existing(raw::instance_ids(&mig))? == Some(ids)
        {
            return Ok(mig);
        }
    }
    Err(Failure {
        call: BY_INDEX,
        code: Code::NOT_FOUND,
    })
}

const BY_INDEX: &str = "nvmlDeviceGetMigDeviceHandleByIndex";

fn at<'nvml>(device: &Device<'nvml>, index: u32) -> Answer<Device<'nvml>> {
    wrapped(BY_INDEX, device.mig_device_by_index(index))
}

/// None for a number that no MIG device has, or has any more: they leave holes.
fn existing<T>(answer: Answer<T>) -> Answer<Option<T>> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(Failure {
            code: Code::NOT_FOUND,
            ..
        }) => Ok(None),
        Err(failure) => Err(failure),
    }
}
