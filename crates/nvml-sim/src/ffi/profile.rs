//! What GPU instances a GPU offers, and where.
#![expect(unsafe_code, reason = "exported symbols")]

use std::ffi::c_uint;

use nvml_wrapper_sys::bindings::{
    nvmlGpuInstancePlacement_t, nvmlGpuInstanceProfileInfo_t, nvmlGpuInstanceProfileInfo_v2_t,
    nvmlGpuInstanceProfileInfo_v3_t,
};

use super::arg::{Array, Out, Versioned, chars, number, struct_version};
use super::call::Driver;
use super::handle::Handle;
use crate::state::Gpu;
use crate::{Code, rules};
use products::Profile;

/// Instances of one GPU do not reach each other's memory: `nvidia-smi mig -lgip` says so of every product.
const NO_PEERS: c_uint = 0;

export! {
    fn nvmlDeviceGetGpuInstanceProfileInfo(
        driver,
        device: Handle,
        profile: c_uint,
        info: Out<nvmlGpuInstanceProfileInfo_t>,
    ) {
        let (gpu, profile) = by_index(driver, device, profile)?;
        info.set(nvmlGpuInstanceProfileInfo_t {
            id: profile.id,
            isP2pSupported: NO_PEERS,
            sliceCount: profile.compute_slices,
            instanceCount: rules::said_count(gpu, profile),
            multiprocessorCount: profile.multiprocessors,
            copyEngineCount: profile.engines.copy,
            decoderCount: profile.engines.decoder,
            encoderCount: profile.engines.encoder,
            jpegCount: profile.engines.jpeg,
            ofaCount: profile.engines.ofa,
            memorySizeMB: profile.memory_mib,
        })
    }

    fn nvmlDeviceGetGpuInstanceProfileInfoV(
        driver,
        device: Handle,
        profile: c_uint,
        info: Versioned,
    ) {
        write_versioned(by_index(driver, device, profile)?, &info)
    }

    fn nvmlDeviceGetGpuInstanceProfileInfoByIdV(
        driver,
        device: Handle,
        profile_id: c_uint,
        info: Versioned,
    ) {
        write_versioned(by_id(driver, device, profile_id)?, &info)
    }

    fn nvmlDeviceGetGpuInstancePossiblePlacements(
        driver,
        device: Handle,
        profile_id: c_uint,
        placements: Array<nvmlGpuInstancePlacement_t>,
        count: Out<c_uint>,
    ) {
        write_placements(by_id(driver, device, profile_id)?.1, &placements, &count)
    }

    fn nvmlDeviceGetGpuInstancePossiblePlacements_v2(
        driver,
        device: Handle,
        profile_id: c_uint,
        placements: Array<nvmlGpuInstancePlacement_t>,
        count: Out<c_uint>,
    ) {
        write_placements(by_id(driver, device, profile_id)?.1, &placements, &count)
    }

    fn nvmlDeviceGetGpuInstanceRemainingCapacity(
        driver,
        device: Handle,
        profile_id: c_uint,
        count: Out<c_uint>,
    ) {
        let (gpu, profile) = by_id(driver, device, profile_id)?;
        count.set(rules::remaining_capacity(gpu, rules::enabled_mig(gpu)?, profile))
    }
}

/// A profile, and the GPU that offers it.
type Offer<'driver> = (&'driver Gpu, &'static Profile);

fn by_index(driver: &Driver, device: Handle, index: c_uint) -> Result<Offer<'_>, Code> {
    let (_, gpu) = device.gpu(&driver.state)?;
    let profile = rules::profile_by_index(gpu, &driver.state.quirks, index)?;
    Ok((gpu, profile))
}

fn by_id(driver: &Driver, device: Handle, id: c_uint) -> Result<Offer<'_>, Code> {
    let (_, gpu) = device.gpu(&driver.state)?;
    let profile = rules::mig(gpu)?.by_id(id).ok_or(Code::InvalidArgument)?;
    Ok((gpu, profile))
}

/// The count alone for a null array, as clients ask first.
fn write_placements(
    profile: &Profile,
    placements: &Array<nvmlGpuInstancePlacement_t>,
    count: &Out<c_uint>,
) -> Result<(), Code> {
    let size = profile.memory_slices;
    let all: Vec<_> = profile
        .starts
        .iter()
        .map(|start| nvmlGpuInstancePlacement_t {
            start: *start,
            size,
        })
        .collect();
    count.set(number(all.len()))?;
    if placements.is_null() {
        Ok(())
    } else {
        placements.fill(&all)
    }
}

/// Version 2 or 3, whichever the caller declares.
fn write_versioned((gpu, profile): Offer<'_>, info: &Versioned) -> Result<(), Code> {
    let third = struct_version::<nvmlGpuInstanceProfileInfo_v3_t>(3);
    if info.declared()? == third {
        return info.set(3, third_version(gpu, profile));
    }
    info.set(
        2,
        nvmlGpuInstanceProfileInfo_v2_t {
            version: struct_version::<nvmlGpuInstanceProfileInfo_v2_t>(2),
            id: profile.id,
            isP2pSupported: NO_PEERS,
            sliceCount: profile.compute_slices,
            instanceCount: rules::said_count(gpu, profile),
            multiprocessorCount: profile.multiprocessors,
            copyEngineCount: profile.engines.copy,
            decoderCount: profile.engines.decoder,
            encoderCount: profile.engines.encoder,
            jpegCount: profile.engines.jpeg,
            ofaCount: profile.engines.ofa,
            memorySizeMB: profile.memory_mib,
            name: chars(&format!("MIG {}", profile.name)),
        },
    )
}

fn third_version(gpu: &Gpu, profile: &Profile) -> nvmlGpuInstanceProfileInfo_v3_t {
    nvmlGpuInstanceProfileInfo_v3_t {
        version: struct_version::<nvmlGpuInstanceProfileInfo_v3_t>(3),
        id: profile.id,
        sliceCount: profile.compute_slices,
        instanceCount: rules::said_count(gpu, profile),
        multiprocessorCount: profile.multiprocessors,
        copyEngineCount: profile.engines.copy,
        decoderCount: profile.engines.decoder,
        encoderCount: profile.engines.encoder,
        jpegCount: profile.engines.jpeg,
        ofaCount: profile.engines.ofa,
        memorySizeMB: profile.memory_mib,
        name: chars(&format!("MIG {}", profile.name)),
        capabilities: 0,
    }
}
