//! GPU instances: listed, made, asked, destroyed.

use std::ptr;

use nvml_wrapper::{Device, Nvml};
use nvml_wrapper_sys::bindings::{
    nvmlComputeInstance_t, nvmlComputeInstanceProfileInfo_t, nvmlGpuInstance_t,
    nvmlGpuInstanceInfo_t, nvmlGpuInstancePlacement_t,
};

use super::compute_instance::ComputeInstance;
use super::{handle, handles};
use crate::nvml::call::Answer;

/// The handle of a GPU instance. It dies with the instance, and with a reset; NVML answers `INVALID_ARGUMENT` or
/// `NOT_FOUND` then.
#[derive(Clone, Copy)]
pub struct GpuInstance<'nvml> {
    handle: nvmlGpuInstance_t,
    nvml: &'nvml Nvml,
}

/// What a GPU instance says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GpuInstanceInfo {
    pub id: u32,
    pub start: u32,
    pub size: u32,
}

/// A compute instance profile inside a GPU instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComputeProfile {
    pub id: u32,
    pub slices: u32,
    pub multiprocessors: u32,
}

/// The GPU instances of a profile that exist.
pub fn gpu_instances<'nvml>(
    device: &Device<'nvml>,
    profile_id: u32,
) -> Answer<Vec<GpuInstance<'nvml>>> {
    let nvml = device.nvml();
    let list = |array, count| {
        // SAFETY: the array is larger than the number of instances that any GPU can have.
        unsafe {
            call!(
                nvml,
                nvmlDeviceGetGpuInstances(handle(device), profile_id, array, count)
            )
        }
    };
    let found = handles(list)?.into_iter();
    Ok(found.map(|handle| GpuInstance { handle, nvml }).collect())
}

/// Creates a GPU instance at a place.
pub fn create_gpu_instance(
    device: &Device<'_>,
    profile_id: u32,
    (start, size): (u32, u32),
) -> Answer<()> {
    let place = nvmlGpuInstancePlacement_t { start, size };
    let mut created: nvmlGpuInstance_t = ptr::null_mut();
    // SAFETY: NVML reads `place` and writes one handle.
    unsafe {
        call!(
            device.nvml(),
            nvmlDeviceCreateGpuInstanceWithPlacement(
                handle(device),
                profile_id,
                &raw const place,
                &raw mut created
            )
        )
    }
}

impl<'nvml> GpuInstance<'nvml> {
    pub fn info(self) -> Answer<GpuInstanceInfo> {
        let mut info = nvmlGpuInstanceInfo_t {
            device: ptr::null_mut(),
            id: 0,
            profileId: 0,
            placement: nvmlGpuInstancePlacement_t { start: 0, size: 0 },
        };
        // SAFETY: `info` is writable; a dead handle is answered with a code.
        unsafe {
            call!(
                self.nvml,
                nvmlGpuInstanceGetInfo(self.handle, &raw mut info)
            )
        }?;
        Ok(GpuInstanceInfo {
            id: info.id,
            start: info.placement.start,
            size: info.placement.size,
        })
    }

    /// A compute profile by its number in NVML's enum. Engines are always shared: NVML has no other kind.
    pub fn compute_profile(self, index: u32) -> Answer<ComputeProfile> {
        let mut info = nvmlComputeInstanceProfileInfo_t {
            id: 0,
            sliceCount: 0,
            instanceCount: 0,
            multiprocessorCount: 0,
            sharedCopyEngineCount: 0,
            sharedDecoderCount: 0,
            sharedEncoderCount: 0,
            sharedJpegCount: 0,
            sharedOfaCount: 0,
        };
        // SAFETY: `info` is writable and of the type that this function has always had.
        unsafe {
            call!(
                self.nvml,
                nvmlGpuInstanceGetComputeInstanceProfileInfo(self.handle, index, 0, &raw mut info)
            )
        }?;
        Ok(ComputeProfile {
            id: info.id,
            slices: info.sliceCount,
            multiprocessors: info.multiprocessorCount,
        })
    }

    /// The compute instances of a profile that exist.
    pub fn compute_instances(self, profile_id: u32) -> Answer<Vec<ComputeInstance<'nvml>>> {
        let nvml = self.nvml;
        let list = |array, count| {
            // SAFETY: the array is larger than the number of instances that any GPU can have.
            unsafe {
                call!(
                    nvml,
                    nvmlGpuInstanceGetComputeInstances(self.handle, profile_id, array, count)
                )
            }
        };
        let found = handles(list)?.into_iter();
        Ok(found
            .map(|handle| ComputeInstance::new(handle, nvml))
            .collect())
    }

    pub fn create_compute_instance(self, profile_id: u32) -> Answer<ComputeInstance<'nvml>> {
        let mut created: nvmlComputeInstance_t = ptr::null_mut();
        // SAFETY: NVML writes one handle.
        unsafe {
            call!(
                self.nvml,
                nvmlGpuInstanceCreateComputeInstance(self.handle, profile_id, &raw mut created)
            )
        }?;
        Ok(ComputeInstance::new(created, self.nvml))
    }

    pub fn destroy(self) -> Answer<()> {
        // SAFETY: a dead handle is answered with a code.
        unsafe { call!(self.nvml, nvmlGpuInstanceDestroy(self.handle)) }
    }
}
