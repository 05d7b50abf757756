//! Start, end and the node as a whole.
#![expect(unsafe_code, reason = "exported symbols")]

use std::ffi::{c_char, c_int, c_uint};

use nvml_wrapper_sys::bindings::nvmlReturn_t;

use super::arg::{Out, Text};
use super::call;
use crate::Code;

/// The newest CUDA that the simulated driver claims, as NVML writes it: 13.0.
const CUDA_VERSION: c_int = 13_000;

/// Functions that do not run as calls of a session, and can fail and wait all the same.
pub(super) const INIT_SYMBOLS: &[&str] = &["nvmlInit", "nvmlInit_v2", "nvmlInitWithFlags"];

// SAFETY, of every `no_mangle` here: the symbol is NVML's, nothing else in the process defines it.

/// `nvmlInit`
#[unsafe(no_mangle)]
pub extern "C" fn nvmlInit() -> nvmlReturn_t {
    call::init("nvmlInit")
}

/// `nvmlInit_v2`
#[unsafe(no_mangle)]
pub extern "C" fn nvmlInit_v2() -> nvmlReturn_t {
    call::init("nvmlInit_v2")
}

/// `nvmlInitWithFlags`: no flag changes anything here.
#[unsafe(no_mangle)]
pub extern "C" fn nvmlInitWithFlags(_flags: c_uint) -> nvmlReturn_t {
    call::init("nvmlInitWithFlags")
}

/// `nvmlShutdown`
#[unsafe(no_mangle)]
pub extern "C" fn nvmlShutdown() -> nvmlReturn_t {
    call::shutdown("nvmlShutdown")
}

/// `nvmlErrorString`
#[unsafe(no_mangle)]
pub extern "C" fn nvmlErrorString(result: nvmlReturn_t) -> *const c_char {
    match Code::from_number(result) {
        Some(code) => code.text().as_ptr(),
        None if result == 0 => c"Success".as_ptr(),
        None => Code::Unknown.text().as_ptr(),
    }
}

export! {
    fn nvmlSystemGetDriverVersion(driver, version: Text, length: c_uint) {
        version.write(length, &driver.state.driver_version)
    }

    fn nvmlSystemGetNVMLVersion(driver, version: Text, length: c_uint) {
        version.write(length, &format!("13.{}", driver.state.driver_version))
    }

    fn nvmlSystemGetCudaDriverVersion(_, version: Out<c_int>) {
        version.set(CUDA_VERSION)
    }

    fn nvmlSystemGetCudaDriverVersion_v2(_, version: Out<c_int>) {
        version.set(CUDA_VERSION)
    }

    fn nvmlSystemGetProcessName(driver, pid: c_uint, name: Text, length: c_uint) {
        let processes = driver.state.gpus.iter().flat_map(|gpu| &gpu.processes);
        let process = processes.into_iter().find(|process| process.pid == pid);
        name.write(length, &process.ok_or(Code::NotFound)?.name)
    }
}
