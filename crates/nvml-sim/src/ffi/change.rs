//! GPU instances: made, listed, destroyed.
#![expect(unsafe_code, reason = "exported symbols")]

use std::ffi::c_uint;

use nvml_wrapper_sys::bindings::{nvmlGpuInstanceInfo_t, nvmlGpuInstancePlacement_t};

use super::arg::{Array, In, Out, number};
use super::call::Driver;
use super::handle::{Handle, Target};
use crate::{Code, rules};

export! {
    fn nvmlDeviceCreateGpuInstance(driver, device: Handle, profile_id: c_uint, gi: Out<Handle>) {
        create(driver, device, profile_id, None, &gi)
    }

    fn nvmlDeviceCreateGpuInstanceWithPlacement(
        driver,
        device: Handle,
        profile_id: c_uint,
        placement: In<nvmlGpuInstancePlacement_t>,
        gi: Out<Handle>,
    ) {
        create(driver, device, profile_id, Some(placement.get()?), &gi)
    }

    fn nvmlGpuInstanceDestroy(driver, gi: Handle) {
        let (index, _, instance) = gi.gpu_instance(&driver.state)?;
        driver.update(|state| rules::destroy_gpu_instance(state, index, instance.serial))
    }

    fn nvmlGpuInstanceGetInfo(driver, gi: Handle, info: Out<nvmlGpuInstanceInfo_t>) {
        let (index, gpu, instance) = gi.gpu_instance(&driver.state)?;
        let profile = gpu.profile(instance.profile_id).ok_or(Code::Unknown)?;
        info.set(nvmlGpuInstanceInfo_t {
            device: Handle::of(Target::Gpu(index)).pointer(),
            id: instance.id,
            profileId: profile.id,
            placement: nvmlGpuInstancePlacement_t {
                start: instance.start,
                size: profile.memory_slices,
            },
        })
    }

    // The array must hold as many as the profile allows; the count is written, not read.
    fn nvmlDeviceGetGpuInstances(
        driver,
        device: Handle,
        profile_id: c_uint,
        instances: Array<Handle>,
        count: Out<c_uint>,
    ) {
        let (index, gpu) = device.gpu(&driver.state)?;
        rules::enabled_mig(gpu)?.by_id(profile_id).ok_or(Code::InvalidArgument)?;
        let found: Vec<_> = gpu
            .instances
            .iter()
            .filter(|gi| gi.profile_id == profile_id)
            .map(|gi| Handle::of(Target::GpuInstance(index, gi.serial)))
            .collect();
        count.set(number(found.len()))?;
        if found.is_empty() { Ok(()) } else { instances.fill(&found) }
    }

    fn nvmlDeviceGetGpuInstanceById(driver, device: Handle, id: c_uint, gi: Out<Handle>) {
        let (index, gpu) = device.gpu(&driver.state)?;
        rules::enabled_mig(gpu)?;
        let instance = gpu.instances.iter().find(|gi| gi.id == id).ok_or(Code::NotFound)?;
        gi.set(Handle::of(Target::GpuInstance(index, instance.serial)))
    }
}

fn create(
    driver: &Driver,
    device: Handle,
    profile_id: c_uint,
    placement: Option<nvmlGpuInstancePlacement_t>,
    gi: &Out<Handle>,
) -> Result<(), Code> {
    let (index, gpu) = device.gpu(&driver.state)?;
    gi.check()?;
    let profile = rules::mig(gpu)?
        .by_id(profile_id)
        .ok_or(Code::InvalidArgument)?;
    if placement.is_some_and(|placement| placement.size != profile.memory_slices) {
        return Err(Code::InvalidArgument);
    }
    let start = placement.map(|placement| placement.start);
    let serial =
        driver.update(|state| rules::create_gpu_instance(state, index, profile_id, start))?;
    gi.set(Handle::of(Target::GpuInstance(index, serial)))
}
