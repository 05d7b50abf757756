//! Compute instances: asked and destroyed.

use std::ptr;

use nvml_wrapper::{Device, Nvml};
use nvml_wrapper_sys::bindings::{
    nvmlComputeInstance_t, nvmlComputeInstanceInfo_t, nvmlComputeInstancePlacement_t,
};

use crate::nvml::call::Answer;

/// The handle of a compute instance; as [`super::gpu_instance::GpuInstance`].
#[derive(Clone, Copy)]
pub struct ComputeInstance<'nvml> {
    handle: nvmlComputeInstance_t,
    nvml: &'nvml Nvml,
}

/// What a compute instance says of itself.
pub struct ComputeInstanceInfo<'nvml> {
    pub id: u32,
    /// The GPU that it is on; see [`crate::nvml::mig_device`].
    pub device: Device<'nvml>,
}

impl<'nvml> ComputeInstance<'nvml> {
    /// What a handle that NVML has given stands for.
    pub(super) fn new(handle: nvmlComputeInstance_t, nvml: &'nvml Nvml) -> Self {
        Self { handle, nvml }
    }

    pub fn info(self) -> Answer<ComputeInstanceInfo<'nvml>> {
        let mut info = nvmlComputeInstanceInfo_t {
            device: ptr::null_mut(),
            gpuInstance: ptr::null_mut(),
            id: 0,
            profileId: 0,
            placement: nvmlComputeInstancePlacement_t { start: 0, size: 0 },
        };
        // SAFETY: `info` is writable; a dead handle is answered with a code.
        unsafe {
            call!(
                self.nvml,
                nvmlComputeInstanceGetInfo_v2(self.handle, &raw mut info)
            )
        }?;
        // SAFETY: NVML has just given this handle.
        let device = unsafe { Device::new(info.device, self.nvml) };
        Ok(ComputeInstanceInfo {
            id: info.id,
            device,
        })
    }

    pub fn destroy(self) -> Answer<()> {
        // SAFETY: a dead handle is answered with a code.
        unsafe { call!(self.nvml, nvmlComputeInstanceDestroy(self.handle)) }
    }
}
