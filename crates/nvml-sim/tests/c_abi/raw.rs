//! The raw functions, for what nvml-wrapper has no safe call for.

use std::mem::zeroed;
use std::ptr::null_mut;

use nvml_wrapper::{Device, Nvml};
use nvml_wrapper_sys::bindings as sys;

pub const SUCCESS: u32 = 0;
pub const UNINITIALIZED: u32 = 1;
pub const INVALID_ARGUMENT: u32 = 2;
pub const NOT_SUPPORTED: u32 = 3;
pub const NOT_FOUND: u32 = 6;
pub const INSUFFICIENT_SIZE: u32 = 7;
pub const IN_USE: u32 = 19;
pub const INSUFFICIENT_RESOURCES: u32 = 23;
pub const ARGUMENT_VERSION_MISMATCH: u32 = 25;

/// Calls a raw function by name.
macro_rules! raw {
    ($nvml:expr, $function:ident($($argument:expr),* $(,)?)) => {{
        let function = $nvml.lib().$function.as_ref().unwrap();
        // SAFETY: the arguments are those of the header, and their pointers outlive the call.
        unsafe { function($($argument),*) }
    }};
}

pub fn handle(device: &Device<'_>) -> sys::nvmlDevice_t {
    // SAFETY: the handle is used while the library is loaded.
    unsafe { device.handle() }
}

/// An all-zero struct for a function to fill.
pub fn blank<T: Copy>() -> T {
    // SAFETY: only structs of numbers and pointers, for which zero is a value.
    unsafe { zeroed() }
}

pub fn version<T>(n: u32) -> u32 {
    u32::try_from(size_of::<T>()).unwrap() | (n << 24)
}

pub fn create(
    nvml: &Nvml,
    device: sys::nvmlDevice_t,
    id: u32,
    start: u32,
    size: u32,
) -> (u32, sys::nvmlGpuInstance_t) {
    let (mut gi, placement) = (null_mut(), sys::nvmlGpuInstancePlacement_t { start, size });
    let code = raw!(
        nvml,
        nvmlDeviceCreateGpuInstanceWithPlacement(device, id, &raw const placement, &raw mut gi)
    );
    (code, gi)
}

pub fn text(chars: &[std::ffi::c_char]) -> String {
    chars
        .iter()
        .map_while(|c| u8::try_from(*c).ok().filter(|c| *c != 0))
        .map(char::from)
        .collect()
}

pub(crate) use raw;
