//! GPU instance profiles, and where their instances may stand.

use std::ffi::{c_char, c_uint};
use std::ptr;

use nvml_wrapper::Device;
use nvml_wrapper_sys::bindings::{
    nvmlGpuInstancePlacement_t, nvmlGpuInstanceProfileInfo_t, nvmlGpuInstanceProfileInfo_v2_t,
};

use super::{handle, length};
use crate::nvml::call::Answer;

/// A GPU instance profile as the driver describes it. `name` is empty where the driver gives none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    pub id: u32,
    pub slices: u32,
    pub max: u32,
    pub memory_mib: u64,
    pub name: String,
}

/// A profile by its number in NVML's enum, with the driver's own name for it.
pub fn profile(device: &Device<'_>, index: u32) -> Answer<Profile> {
    let mut info = nvmlGpuInstanceProfileInfo_v2_t {
        version: struct_version::<nvmlGpuInstanceProfileInfo_v2_t>(2),
        id: 0,
        isP2pSupported: 0,
        sliceCount: 0,
        instanceCount: 0,
        multiprocessorCount: 0,
        copyEngineCount: 0,
        decoderCount: 0,
        encoderCount: 0,
        jpegCount: 0,
        ofaCount: 0,
        memorySizeMB: 0,
        name: [0; 96],
    };
    // SAFETY: `info` is writable and declares its version, so NVML writes no more than its size.
    unsafe {
        call!(
            device.nvml(),
            nvmlDeviceGetGpuInstanceProfileInfoV(handle(device), index, &raw mut info)
        )
    }?;
    Ok(Profile {
        id: info.id,
        slices: info.sliceCount,
        max: info.instanceCount,
        memory_mib: info.memorySizeMB,
        name: text(&info.name),
    })
}

/// As [`profile`], from drivers before names: `name` is empty.
pub fn profile_without_name(device: &Device<'_>, index: u32) -> Answer<Profile> {
    let mut info = nvmlGpuInstanceProfileInfo_t {
        id: 0,
        isP2pSupported: 0,
        sliceCount: 0,
        instanceCount: 0,
        multiprocessorCount: 0,
        copyEngineCount: 0,
        decoderCount: 0,
        encoderCount: 0,
        jpegCount: 0,
        ofaCount: 0,
        memorySizeMB: 0,
    };
    // SAFETY: `info` is writable and of the type that this function has always had.
    unsafe {
        call!(
            device.nvml(),
            nvmlDeviceGetGpuInstanceProfileInfo(handle(device), index, &raw mut info)
        )
    }?;
    Ok(Profile {
        id: info.id,
        slices: info.sliceCount,
        max: info.instanceCount,
        memory_mib: info.memorySizeMB,
        name: String::new(),
    })
}

/// Where instances of a profile may stand: (start, size) in memory slices.
pub fn placements(device: &Device<'_>, profile_id: u32) -> Answer<Vec<(u32, u32)>> {
    let mut count: c_uint = 0;
    // SAFETY: a null array asks for the count alone.
    unsafe {
        call!(
            device.nvml(),
            nvmlDeviceGetGpuInstancePossiblePlacements_v2(
                handle(device),
                profile_id,
                ptr::null_mut(),
                &raw mut count
            )
        )
    }?;
    let mut places = vec![nvmlGpuInstancePlacement_t { start: 0, size: 0 }; length(count)];
    // SAFETY: the array holds the number that NVML has just given; what a GPU offers never changes.
    unsafe {
        call!(
            device.nvml(),
            nvmlDeviceGetGpuInstancePossiblePlacements_v2(
                handle(device),
                profile_id,
                places.as_mut_ptr(),
                &raw mut count
            )
        )
    }?;
    places.truncate(length(count));
    Ok(places.into_iter().map(|at| (at.start, at.size)).collect())
}

/// `NVML_STRUCT_VERSION` of the header: the size below, the version above.
#[expect(
    clippy::cast_possible_truncation,
    reason = "structs of NVML are some hundred bytes"
)]
const fn struct_version<T>(version: u32) -> u32 {
    size_of::<T>() as u32 | (version << 24)
}

/// The text before the first NUL.
fn text(chars: &[c_char]) -> String {
    let bytes: Vec<u8> = chars
        .iter()
        .map(|char| char.cast_unsigned())
        .take_while(|byte| *byte != 0)
        .collect();
    String::from_utf8_lossy(&bytes).into_owned()
}
