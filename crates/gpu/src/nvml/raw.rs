//! The calls that nvml-wrapper does not wrap, or wraps wrongly: the only unsafe code of the product.
//!
//! Each function is one call of the library and checks nothing but its answer. Symbols are looked up as fields of the
//! bindings; the methods of the same names panic when a symbol is absent.
#![expect(
    unsafe_code,
    reason = "instances are created and destroyed through the raw bindings only"
)]
#![deny(unsafe_op_in_unsafe_fn)]

use std::ffi::{c_char, c_uint};
use std::ptr;

use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml};
use nvml_wrapper_sys::bindings::{
    nvmlComputeInstance_t, nvmlComputeInstanceInfo_t, nvmlComputeInstancePlacement_t,
    nvmlComputeInstanceProfileInfo_t, nvmlDevice_t, nvmlGpuInstance_t, nvmlGpuInstanceInfo_t,
    nvmlGpuInstancePlacement_t, nvmlGpuInstanceProfileInfo_t, nvmlGpuInstanceProfileInfo_v2_t,
};

use crate::Code;

/// A call, and what it answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    pub call: &'static str,
    pub code: Code,
}

pub type Answer<T> = Result<T, Failure>;

/// A result of nvml-wrapper's own, with the function that it called.
pub fn wrapped<T>(call: &'static str, result: Result<T, NvmlError>) -> Answer<T> {
    result.map_err(|error| failure(call, error))
}

/// Codes that the wrapper does not know (23 and above) pass unchanged; a missing symbol is a missing function.
fn failure(call: &'static str, error: NvmlError) -> Failure {
    let code = match error {
        NvmlError::FailedToLoadSymbol(_) => Code::FUNCTION_NOT_FOUND,
        other => Code(other.into()),
    };
    Failure { call, code }
}

/// Calls a function of the library, if it has it; an answer but 0 is a failure. Expands to an unsafe call, so that each
/// caller says why its arguments are right.
macro_rules! call {
    ($nvml:expr, $function:ident($($argument:expr),* $(,)?)) => {
        match $nvml.lib().$function.as_ref() {
            Err(_) => Err(Failure { call: stringify!($function), code: Code::FUNCTION_NOT_FOUND }),
            Ok(function) => match function($($argument),*) {
                0 => Ok(()),
                code => Err(Failure { call: stringify!($function), code: Code(code) }),
            },
        }
    };
}

/// NVML's lists of instances take no size: the array must hold as many as the profile allows, and the counts that some
/// drivers report are wrong (A30). No GPU has as many slices as this.
const MOST_INSTANCES: usize = 64;

/// A GPU instance profile as the driver describes it. `name` is empty where the driver gives none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    pub id: u32,
    pub slices: u32,
    pub max: u32,
    pub memory_mib: u64,
    pub name: String,
}

/// A compute instance profile inside a GPU instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComputeProfile {
    pub id: u32,
    pub slices: u32,
}

/// The handle of a GPU instance. It dies with the instance, and with a reset; NVML answers `INVALID_ARGUMENT` or
/// `NOT_FOUND` then.
#[derive(Clone, Copy)]
pub struct GpuInstance<'nvml> {
    handle: nvmlGpuInstance_t,
    nvml: &'nvml Nvml,
}

/// The handle of a compute instance; as [`GpuInstance`].
#[derive(Clone, Copy)]
pub struct ComputeInstance<'nvml> {
    handle: nvmlComputeInstance_t,
    nvml: &'nvml Nvml,
}

/// What a GPU instance says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GpuInstanceInfo {
    pub id: u32,
    pub start: u32,
    pub size: u32,
}

/// What a compute instance says of itself.
pub struct ComputeInstanceInfo<'nvml> {
    pub id: u32,
    /// The MIG device that pods see.
    pub device: Device<'nvml>,
}

fn handle(device: &Device<'_>) -> nvmlDevice_t {
    // SAFETY: the handle is used only for calls on the library that gave it, which `device` keeps loaded.
    unsafe { device.handle() }
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

/// The GPU instances of a profile that exist.
pub fn gpu_instances<'nvml>(
    device: &Device<'nvml>,
    profile_id: u32,
) -> Answer<Vec<GpuInstance<'nvml>>> {
    let nvml = device.nvml();
    let mut handles: [nvmlGpuInstance_t; MOST_INSTANCES] = [ptr::null_mut(); MOST_INSTANCES];
    let mut count: c_uint = 0;
    // SAFETY: the array is larger than the number of instances that any GPU can have.
    unsafe {
        call!(
            nvml,
            nvmlDeviceGetGpuInstances(
                handle(device),
                profile_id,
                handles.as_mut_ptr(),
                &raw mut count
            )
        )
    }?;
    let handles = handles.into_iter().take(length(count));
    Ok(handles.map(|handle| GpuInstance { handle, nvml }).collect())
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
        })
    }

    /// The compute instances of a profile that exist.
    pub fn compute_instances(self, profile_id: u32) -> Answer<Vec<ComputeInstance<'nvml>>> {
        let nvml = self.nvml;
        let mut handles: [nvmlComputeInstance_t; MOST_INSTANCES] =
            [ptr::null_mut(); MOST_INSTANCES];
        let mut count: c_uint = 0;
        // SAFETY: the array is larger than the number of instances that any GPU can have.
        unsafe {
            call!(
                nvml,
                nvmlGpuInstanceGetComputeInstances(
                    self.handle,
                    profile_id,
                    handles.as_mut_ptr(),
                    &raw mut count
                )
            )
        }?;
        let handles = handles.into_iter().take(length(count));
        Ok(handles
            .map(|handle| ComputeInstance { handle, nvml })
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
        Ok(ComputeInstance {
            handle: created,
            nvml: self.nvml,
        })
    }

    pub fn destroy(self) -> Answer<()> {
        // SAFETY: a dead handle is answered with a code.
        unsafe { call!(self.nvml, nvmlGpuInstanceDestroy(self.handle)) }
    }
}

impl<'nvml> ComputeInstance<'nvml> {
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

fn length(count: c_uint) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
