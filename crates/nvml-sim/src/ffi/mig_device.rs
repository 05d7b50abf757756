//! MIG mode and MIG devices.
#![expect(unsafe_code, reason = "exported symbols")]

use std::ffi::c_uint;

use nvml_wrapper_sys::bindings::{nvmlDeviceAttributes_t, nvmlReturn_t};

use super::arg::Out;
use super::call::Driver;
use super::handle::{Device, Handle, Target};
use crate::Code;
use crate::rules::{self, Activation};
use crate::state::{ComputeInstance, Gpu, GpuInstance};
use products::compute_profiles;

export! {
    fn nvmlDeviceGetMigMode(driver, device: Handle, current: Out<c_uint>, pending: Out<c_uint>) {
        let (_, gpu) = device.gpu(&driver.state)?;
        let mode = gpu.mig_mode.ok_or(Code::NotSupported)?;
        current.set(mode.current.into())?;
        pending.set(mode.pending.into())
    }

    fn nvmlDeviceSetMigMode(driver, device: Handle, mode: c_uint, status: Out<nvmlReturn_t>) {
        let (index, _) = device.gpu(&driver.state)?;
        status.check()?;
        let enable = match mode {
            0 => false,
            1 => true,
            _ => return Err(Code::InvalidArgument),
        };
        match driver.update(|state| rules::set_mig_mode(state, index, enable))? {
            Activation::Done => status.set(0),
            Activation::Pending(why) => status.set(why.number()),
        }
    }

    fn nvmlDeviceGetMaxMigDeviceCount(driver, device: Handle, count: Out<c_uint>) {
        let (_, gpu) = device.gpu(&driver.state)?;
        count.set(rules::enabled_mig(gpu).map_or(0, |mig| mig.compute_slices))
    }

    fn nvmlDeviceGetMigDeviceHandleByIndex(
        driver,
        device: Handle,
        mig_index: c_uint,
        mig_device: Out<Handle>,
    ) {
        let (index, gpu) = device.gpu(&driver.state)?;
        let mig = rules::enabled_mig(gpu)?;
        if mig_index >= mig.compute_slices {
            return Err(Code::InvalidArgument);
        }
        let mut devices = gpu.compute_instances();
        let (_, ci) = devices.find(|(_, ci)| ci.mig_index == mig_index).ok_or(Code::NotFound)?;
        mig_device.set(Handle::of(Target::Mig(index, ci.serial)))
    }

    fn nvmlDeviceIsMigDeviceHandle(driver, device: Handle, is_mig: Out<c_uint>) {
        is_mig.set(matches!(device.device(&driver.state)?, Device::Mig(..)).into())
    }

    fn nvmlDeviceGetDeviceHandleFromMigDeviceHandle(driver, device: Handle, parent: Out<Handle>) {
        match device.device(&driver.state)? {
            Device::Mig(index, ..) => parent.set(Handle::of(Target::Gpu(index))),
            Device::Whole(..) => Err(Code::InvalidArgument),
        }
    }

    fn nvmlDeviceGetGpuInstanceId(driver, device: Handle, id: Out<c_uint>) {
        id.set(mig(driver, device)?.1.id)
    }

    fn nvmlDeviceGetComputeInstanceId(driver, device: Handle, id: Out<c_uint>) {
        id.set(mig(driver, device)?.2.id)
    }

    fn nvmlDeviceGetAttributes(
        driver,
        device: Handle,
        attributes: Out<nvmlDeviceAttributes_t>,
    ) {
        attributes.set(attributes_of(mig(driver, device)?)?)
    }

    fn nvmlDeviceGetAttributes_v2(
        driver,
        device: Handle,
        attributes: Out<nvmlDeviceAttributes_t>,
    ) {
        attributes.set(attributes_of(mig(driver, device)?)?)
    }
}

type MigParts<'a> = (&'a Gpu, &'a GpuInstance, &'a ComputeInstance);

/// A question that makes sense for MIG devices only.
fn mig(driver: &Driver, device: Handle) -> Result<MigParts<'_>, Code> {
    match device.device(&driver.state)? {
        Device::Mig(_, gpu, gi, ci) => Ok((gpu, gi, ci)),
        Device::Whole(..) => Err(Code::NotSupported),
    }
}

fn attributes_of((gpu, gi, ci): MigParts<'_>) -> Result<nvmlDeviceAttributes_t, Code> {
    let profile = gpu.profile(gi.profile_id).ok_or(Code::Unknown)?;
    let compute = compute_profiles(profile)
        .iter()
        .find(|compute| compute.id == ci.profile_id);
    let compute = compute.ok_or(Code::Unknown)?;
    Ok(nvmlDeviceAttributes_t {
        multiprocessorCount: compute.multiprocessors(profile),
        sharedCopyEngineCount: profile.engines.copy,
        sharedDecoderCount: profile.engines.decoder,
        sharedEncoderCount: profile.engines.encoder,
        sharedJpegCount: profile.engines.jpeg,
        sharedOfaCount: profile.engines.ofa,
        gpuInstanceSliceCount: profile.compute_slices,
        computeInstanceSliceCount: compute.slices,
        memorySizeMB: profile.memory_mib,
    })
}
