//! Compute mode: how many processes may use a GPU at once.

use crds::gpu_node::ComputeMode;
use nvml_wrapper::Device;
use nvml_wrapper::enum_wrappers::device::ComputeMode as NvmlComputeMode;

use super::call::{Answer, if_supported, wrapped};

/// None: the GPU has none, or one that is gone.
pub fn read(device: &Device<'_>) -> Answer<Option<ComputeMode>> {
    let read = if_supported(wrapped("nvmlDeviceGetComputeMode", device.compute_mode()))?;
    Ok(read.and_then(|mode| match mode {
        NvmlComputeMode::Default => Some(ComputeMode::Default),
        NvmlComputeMode::Prohibited => Some(ComputeMode::Prohibited),
        NvmlComputeMode::ExclusiveProcess => Some(ComputeMode::ExclusiveProcess),
        // Gone since CUDA 8.
        NvmlComputeMode::ExclusiveThread => None,
    }))
}

/// Sets it, and reads it back.
pub fn change(mut device: Device<'_>, mode: ComputeMode) -> Answer<Option<ComputeMode>> {
    let wanted = match mode {
        ComputeMode::Default => NvmlComputeMode::Default,
        ComputeMode::Prohibited => NvmlComputeMode::Prohibited,
        ComputeMode::ExclusiveProcess => NvmlComputeMode::ExclusiveProcess,
    };
    let set = device.set_compute_mode(wanted);
    wrapped("nvmlDeviceSetComputeMode", set)?;
    read(&device)
}
