//! The calls that nvml-wrapper does not wrap, or wraps wrongly: the only unsafe code of the product.
//!
//! Each function is one call of the library, or the two by which NVML tells a count first, and checks nothing but the
//! answer. Symbols are looked up as fields of the bindings; the methods of the same names panic when a symbol is absent.
#![expect(
    unsafe_code,
    reason = "instances are created and destroyed through the raw bindings only"
)]
#![deny(unsafe_op_in_unsafe_fn)]

/// Calls a function of the library, if it has it; an answer but 0 is a failure. Expands to an unsafe call, so that each
/// caller says why its arguments are right.
macro_rules! call {
    ($nvml:expr, $function:ident($($argument:expr),* $(,)?)) => {
        match $nvml.lib().$function.as_ref() {
            Err(_) => Err($crate::nvml::call::Failure { call: stringify!($function), code: $crate::Code::FUNCTION_NOT_FOUND }),
            Ok(function) => match function($($argument),*) {
                0 => Ok(()),
                code => Err($crate::nvml::call::Failure { call: stringify!($function), code: $crate::Code(code) }),
            },
        }
    };
}

mod compute_instance;
mod gpu_instance;
mod profile;

pub use compute_instance::ComputeInstance;
pub use gpu_instance::{ComputeProfile, GpuInstance, create_gpu_instance, gpu_instances};
pub use profile::{Profile, placements, profile, profile_without_name};

use std::ffi::c_uint;
use std::ptr;

use nvml_wrapper::Device;
use nvml_wrapper_sys::bindings::nvmlDevice_t;

use super::call::Answer;

/// NVML's lists of instances take no size: the array must hold as many as the profile allows, and the counts that some
/// drivers report are wrong (A30). No GPU has as many slices as this.
const MOST_INSTANCES: usize = 64;

/// The handles with which `list` fills an array, and sets the count.
fn handles<T>(list: impl FnOnce(*mut *mut T, *mut c_uint) -> Answer<()>) -> Answer<Vec<*mut T>> {
    let mut handles = vec![ptr::null_mut(); MOST_INSTANCES];
    let mut count: c_uint = 0;
    list(handles.as_mut_ptr(), &raw mut count)?;
    handles.truncate(length(count));
    Ok(handles)
}

/// The numbers of a MIG device's GPU instance and compute instance.
pub fn instance_ids(device: &Device<'_>) -> Answer<(u32, u32)> {
    let (nvml, handle) = (device.nvml(), handle(device));
    let (mut gi, mut ci) = (0, 0);
    // SAFETY: the outputs are writable; a dead handle is answered with a code.
    unsafe { call!(nvml, nvmlDeviceGetGpuInstanceId(handle, &raw mut gi)) }?;
    // SAFETY: as above.
    unsafe { call!(nvml, nvmlDeviceGetComputeInstanceId(handle, &raw mut ci)) }?;
    Ok((gi, ci))
}

fn handle(device: &Device<'_>) -> nvmlDevice_t {
    // SAFETY: the handle is used only for calls on the library that gave it, which `device` keeps loaded.
    unsafe { device.handle() }
}

fn length(count: c_uint) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
