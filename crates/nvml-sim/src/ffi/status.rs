//! What a device has and allows: memory, and who may compute.
#![expect(unsafe_code, reason = "exported symbols")]

use std::ffi::{c_int, c_uint, c_ulonglong};

use nvml_wrapper_sys::bindings::{
    nvmlBAR1Memory_t, nvmlComputeMode_t, nvmlFieldValue_t, nvmlMemory_t, nvmlMemory_v2_t,
};

use super::arg::{Array, Out, Versioned, struct_version};
use super::call::Driver;
use super::handle::{Device, Handle};
use crate::state::{ComputeMode, Gpu};
use crate::{Code, rules};

export! {
    fn nvmlDeviceGetMemoryInfo(driver, device: Handle, memory: Out<nvmlMemory_t>) {
        let (total, used) = memory_of(device.device(&driver.state)?)?;
        memory.set(nvmlMemory_t { total, free: total - used, used })
    }

    fn nvmlDeviceGetMemoryInfo_v2(driver, device: Handle, memory: Versioned) {
        let (total, used) = memory_of(device.device(&driver.state)?)?;
        let version = struct_version::<nvmlMemory_v2_t>(2);
        let value = nvmlMemory_v2_t { version, total, reserved: 0, free: total - used, used };
        memory.set(2, value)
    }

    fn nvmlDeviceGetBAR1MemoryInfo(driver, device: Handle, memory: Out<nvmlBAR1Memory_t>) {
        let total = bar1_of(device.device(&driver.state)?)?;
        memory.set(nvmlBAR1Memory_t { bar1Total: total, bar1Free: total, bar1Used: 0 })
    }

    // A simulated memory has no errors of any kind, in any part.
    fn nvmlDeviceGetMemoryErrorCounter(
        driver,
        device: Handle,
        _kind: c_uint,
        _counter: c_uint,
        _part: c_uint,
        count: Out<c_ulonglong>,
    ) {
        device.device(&driver.state)?;
        count.set(0)
    }

    // None is simulated. Clients look at the answer of each field, not at that of the call.
    fn nvmlDeviceGetFieldValues(
        driver,
        device: Handle,
        count: c_int,
        values: Array<nvmlFieldValue_t>,
    ) {
        device.device(&driver.state)?;
        let count = c_uint::try_from(count).map_err(|_| Code::InvalidArgument)?;
        values.change_each(count, |value| value.nvmlReturn = Code::NotSupported.number())
    }

    fn nvmlDeviceGetComputeMode(driver, device: Handle, mode: Out<nvmlComputeMode_t>) {
        mode.set(match whole(driver, device)?.1.compute_mode {
            ComputeMode::Default => 0,
            ComputeMode::Prohibited => 2,
            ComputeMode::ExclusiveProcess => 3,
        })
    }

    fn nvmlDeviceSetComputeMode(driver, device: Handle, mode: nvmlComputeMode_t) {
        let (index, _) = whole(driver, device)?;
        let mode = match mode {
            0 => ComputeMode::Default,
            // Exclusive thread: gone since CUDA 8.
            1 => return Err(Code::NotSupported),
            2 => ComputeMode::Prohibited,
            3 => ComputeMode::ExclusiveProcess,
            _ => return Err(Code::InvalidArgument),
        };
        driver.update(|state| {
            rules::gpu_mut(state, index)?.compute_mode = mode;
            Ok(())
        })
    }
}

/// A question that makes sense for whole GPUs only, and is not answered for MIG devices.
fn whole(driver: &Driver, device: Handle) -> Result<(usize, &Gpu), Code> {
    match device.device(&driver.state)? {
        Device::Whole(index, gpu) => Ok((index, gpu)),
        Device::Mig(..) => Err(Code::NotSupported),
    }
}

/// Bytes in all, and bytes used.
fn memory_of(device: Device<'_>) -> Result<(u64, u64), Code> {
    let (mib, used): (u64, u64) = match device {
        Device::Whole(_, gpu) => (
            gpu.product().ok_or(Code::Unknown)?.memory_mib,
            gpu.processes.iter().map(|process| process.memory_mib).sum(),
        ),
        Device::Mig(_, gpu, gi, ci) => (
            gpu.profile(gi.profile_id).ok_or(Code::Unknown)?.memory_mib,
            gpu.processes_on(Some(&ci.uuid))
                .map(|process| process.memory_mib)
                .sum(),
        ),
    };
    Ok((mib << 20, used.min(mib) << 20))
}

/// Bytes of the window onto the memory.
///
/// GPUs with MIG map all of it, so the window is the next power of two; a MIG device has its memory
/// slices' share, of which NVIDIA's MIG user guide shows one MiB less. Others are not known.
fn bar1_of(device: Device<'_>) -> Result<u64, Code> {
    let gpu = device.parent();
    let mig = rules::mig(gpu)?;
    let whole = gpu.product().ok_or(Code::Unknown)?.memory_mib;
    let whole = whole.next_power_of_two();
    let mib = match device {
        Device::Whole(..) => whole,
        Device::Mig(_, _, gi, _) => {
            let slices = gpu
                .profile(gi.profile_id)
                .ok_or(Code::Unknown)?
                .memory_slices;
            if slices == mig.memory_slices {
                whole
            } else {
                whole * u64::from(slices) / u64::from(mig.memory_slices) - 1
            }
        }
    };
    Ok(mib << 20)
}
