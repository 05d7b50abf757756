//! Compute instances: offered, made, listed, destroyed.
#![expect(unsafe_code, reason = "exported symbols")]

use std::ffi::c_uint;

use nvml_wrapper_sys::bindings::{
    nvmlComputeInstanceInfo_t, nvmlComputeInstancePlacement_t, nvmlComputeInstanceProfileInfo_t,
    nvmlComputeInstanceProfileInfo_v2_t, nvmlComputeInstanceProfileInfo_v3_t,
};

use super::arg::{Array, In, Out, Versioned, chars, number, struct_version};
use super::call::Driver;
use super::handle::{Handle, Target};
use crate::{Code, rules};
use products::{ComputeProfile, Profile};

/// The compute profile numbers that NVML 13 knows.
const PROFILE_COUNT: c_uint = 9;

export! {
    fn nvmlGpuInstanceGetComputeInstanceProfileInfo(
        driver,
        gi: Handle,
        profile: c_uint,
        engines: c_uint,
        info: Out<nvmlComputeInstanceProfileInfo_t>,
    ) {
        let offer = by_index(driver, gi, profile, engines)?;
        info.set(nvmlComputeInstanceProfileInfo_t {
            id: offer.compute.id,
            sliceCount: offer.compute.slices,
            instanceCount: number(offer.compute.starts.len()),
            multiprocessorCount: offer.compute.multiprocessors(offer.profile),
            sharedCopyEngineCount: offer.profile.engines.copy,
            sharedDecoderCount: offer.profile.engines.decoder,
            sharedEncoderCount: offer.profile.engines.encoder,
            sharedJpegCount: offer.profile.engines.jpeg,
            sharedOfaCount: offer.profile.engines.ofa,
        })
    }

    fn nvmlGpuInstanceGetComputeInstanceProfileInfoV(
        driver,
        gi: Handle,
        profile: c_uint,
        engines: c_uint,
        info: Versioned,
    ) {
        write_versioned(&by_index(driver, gi, profile, engines)?, &info)
    }

    fn nvmlGpuInstanceGetComputeInstanceRemainingCapacity(
        driver,
        gi: Handle,
        profile_id: c_uint,
        count: Out<c_uint>,
    ) {
        let (_, gpu, instance) = gi.gpu_instance(&driver.state)?;
        let offer = by_id(driver, gi, profile_id)?;
        count.set(rules::compute_remaining(gpu, instance, offer.compute))
    }

    fn nvmlGpuInstanceGetComputeInstancePossiblePlacements(
        driver,
        gi: Handle,
        profile_id: c_uint,
        placements: Array<nvmlComputeInstancePlacement_t>,
        count: Out<c_uint>,
    ) {
        let compute = by_id(driver, gi, profile_id)?.compute;
        let placement = |start: &c_uint| nvmlComputeInstancePlacement_t {
            start: *start,
            size: compute.slices,
        };
        let all: Vec<_> = compute.starts.iter().map(placement).collect();
        count.set(number(all.len()))?;
        if placements.is_null() { Ok(()) } else { placements.fill(&all) }
    }

    fn nvmlGpuInstanceCreateComputeInstance(
        driver,
        gi: Handle,
        profile_id: c_uint,
        ci: Out<Handle>,
    ) {
        create(driver, gi, profile_id, None, &ci)
    }

    fn nvmlGpuInstanceCreateComputeInstanceWithPlacement(
        driver,
        gi: Handle,
        profile_id: c_uint,
        placement: In<nvmlComputeInstancePlacement_t>,
        ci: Out<Handle>,
    ) {
        create(driver, gi, profile_id, Some(placement.get()?), &ci)
    }

    // The array must hold as many as the profile allows; the count is written, not read.
    fn nvmlGpuInstanceGetComputeInstances(
        driver,
        gi: Handle,
        profile_id: c_uint,
        instances: Array<Handle>,
        count: Out<c_uint>,
    ) {
        let (index, _, instance) = gi.gpu_instance(&driver.state)?;
        by_id(driver, gi, profile_id)?;
        let found: Vec<_> = instance
            .compute
            .iter()
            .filter(|ci| ci.profile_id == profile_id)
            .map(|ci| Handle::of(Target::ComputeInstance(index, ci.serial)))
            .collect();
        count.set(number(found.len()))?;
        if found.is_empty() { Ok(()) } else { instances.fill(&found) }
    }

    fn nvmlGpuInstanceGetComputeInstanceById(driver, gi: Handle, id: c_uint, ci: Out<Handle>) {
        let (index, _, instance) = gi.gpu_instance(&driver.state)?;
        let found = instance.compute.iter().find(|ci| ci.id == id).ok_or(Code::NotFound)?;
        ci.set(Handle::of(Target::ComputeInstance(index, found.serial)))
    }

    fn nvmlComputeInstanceGetInfo(driver, ci: Handle, info: Out<nvmlComputeInstanceInfo_t>) {
        info.set(info_of(driver, ci)?)
    }

    fn nvmlComputeInstanceGetInfo_v2(driver, ci: Handle, info: Out<nvmlComputeInstanceInfo_t>) {
        info.set(info_of(driver, ci)?)
    }

    fn nvmlComputeInstanceDestroy(driver, ci: Handle) {
        let (index, serial) = target(ci)?;
        driver.update(|state| rules::destroy_compute_instance(state, index, serial))
    }
}

/// A compute profile inside a GPU instance's profile.
struct Offer {
    profile: &'static Profile,
    compute: &'static ComputeProfile,
}

/// Engines are always shared: NVML has no other engine profile.
fn by_index(driver: &Driver, gi: Handle, index: c_uint, engines: c_uint) -> Result<Offer, Code> {
    if index >= PROFILE_COUNT || engines != 0 {
        return Err(Code::InvalidArgument);
    }
    // Here, and only here, the number of the enum and the id are the same.
    by_id(driver, gi, index).map_err(|code| match code {
        Code::InvalidArgument => Code::NotSupported,
        other => other,
    })
}

fn by_id(driver: &Driver, gi: Handle, id: c_uint) -> Result<Offer, Code> {
    let (_, gpu, instance) = gi.gpu_instance(&driver.state)?;
    let profile = gpu.profile(instance.profile_id).ok_or(Code::Unknown)?;
    let compute = rules::compute_placements(gpu, instance)
        .iter()
        .find(|compute| compute.id == id);
    Ok(Offer {
        profile,
        compute: compute.ok_or(Code::InvalidArgument)?,
    })
}

fn target(ci: Handle) -> Result<(usize, u64), Code> {
    match ci.target()? {
        Target::ComputeInstance(index, serial) => Ok((index, serial)),
        Target::Gpu(_)
        | Target::Mig(..)
        | Target::GpuInstance(..)
        | Target::EventSet(_)
        | Target::Freed => Err(Code::InvalidArgument),
    }
}

fn create(
    driver: &Driver,
    gi: Handle,
    profile_id: c_uint,
    placement: Option<nvmlComputeInstancePlacement_t>,
    ci: &Out<Handle>,
) -> Result<(), Code> {
    let (index, _, instance) = gi.gpu_instance(&driver.state)?;
    ci.check()?;
    let slices = by_id(driver, gi, profile_id)?.compute.slices;
    if placement.is_some_and(|placement| placement.size != slices) {
        return Err(Code::InvalidArgument);
    }
    let start = placement.map(|placement| placement.start);
    let gi_serial = instance.serial;
    let serial = driver.update(|state| {
        rules::create_compute_instance(state, index, gi_serial, profile_id, start)
    })?;
    ci.set(Handle::of(Target::ComputeInstance(index, serial)))
}

fn info_of(driver: &Driver, ci: Handle) -> Result<nvmlComputeInstanceInfo_t, Code> {
    let (index, serial) = target(ci)?;
    let gpu = rules::gpu(&driver.state, index)?;
    let (gi, ci) = rules::compute_instance(gpu, serial)?;
    let offers = rules::compute_placements(gpu, gi);
    let compute = offers
        .iter()
        .find(|compute| compute.id == ci.profile_id)
        .ok_or(Code::Unknown)?;
    // The GPU: NVML documents it so, and nvidia-smi prints its index. Some programs think otherwise.
    let device = if driver.state.quirks.names_mig_devices {
        Target::Mig(index, serial)
    } else {
        Target::Gpu(index)
    };
    Ok(nvmlComputeInstanceInfo_t {
        device: Handle::of(device).pointer(),
        gpuInstance: Handle::of(Target::GpuInstance(index, gi.serial)).pointer(),
        id: ci.id,
        profileId: ci.profile_id,
        placement: nvmlComputeInstancePlacement_t {
            start: ci.start,
            size: compute.slices,
        },
    })
}

/// Version 2 or 3, whichever the caller declares.
fn write_versioned(offer: &Offer, info: &Versioned) -> Result<(), Code> {
    let third = struct_version::<nvmlComputeInstanceProfileInfo_v3_t>(3);
    if info.declared()? == third {
        return info.set(3, third_version(offer));
    }
    info.set(
        2,
        nvmlComputeInstanceProfileInfo_v2_t {
            version: struct_version::<nvmlComputeInstanceProfileInfo_v2_t>(2),
            id: offer.compute.id,
            sliceCount: offer.compute.slices,
            instanceCount: number(offer.compute.starts.len()),
            multiprocessorCount: offer.compute.multiprocessors(offer.profile),
            sharedCopyEngineCount: offer.profile.engines.copy,
            sharedDecoderCount: offer.profile.engines.decoder,
            sharedEncoderCount: offer.profile.engines.encoder,
            sharedJpegCount: offer.profile.engines.jpeg,
            sharedOfaCount: offer.profile.engines.ofa,
            name: chars(&format!("MIG {}", offer.compute.name(offer.profile))),
        },
    )
}

fn third_version(offer: &Offer) -> nvmlComputeInstanceProfileInfo_v3_t {
    nvmlComputeInstanceProfileInfo_v3_t {
        version: struct_version::<nvmlComputeInstanceProfileInfo_v3_t>(3),
        id: offer.compute.id,
        sliceCount: offer.compute.slices,
        instanceCount: number(offer.compute.starts.len()),
        multiprocessorCount: offer.compute.multiprocessors(offer.profile),
        sharedCopyEngineCount: offer.profile.engines.copy,
        sharedDecoderCount: offer.profile.engines.decoder,
        sharedEncoderCount: offer.profile.engines.encoder,
        sharedJpegCount: offer.profile.engines.jpeg,
        sharedOfaCount: offer.profile.engines.ofa,
        name: chars(&format!("MIG {}", offer.compute.name(offer.profile))),
        capabilities: 0,
    }
}
