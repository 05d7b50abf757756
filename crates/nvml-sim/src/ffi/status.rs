//! What a device is doing: memory, compute mode, processes.
#![expect(unsafe_code, reason = "exported symbols")]

use std::ffi::c_uint;

use nvml_wrapper_sys::bindings::{
    nvmlComputeMode_t, nvmlMemory_t, nvmlMemory_v2_t, nvmlProcessInfo_v1_t, nvmlProcessInfo_v2_t,
};

use super::arg::{Array, Out, Versioned, struct_version};
use super::call::Driver;
use super::handle::{Device, Handle};
use crate::state::{ComputeMode, Gpu, Process};
use crate::{Code, rules};

/// What NVML writes for the instance ids of a process that runs on a whole GPU.
const NO_INSTANCE: c_uint = c_uint::MAX;

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

    fn nvmlDeviceGetComputeRunningProcesses(
        driver,
        device: Handle,
        count: Out<c_uint>,
        infos: Array<nvmlProcessInfo_v1_t>,
    ) {
        infos.fill_counted(&count, &running(driver, device, short)?)
    }

    fn nvmlDeviceGetComputeRunningProcesses_v2(
        driver,
        device: Handle,
        count: Out<c_uint>,
        infos: Array<nvmlProcessInfo_v2_t>,
    ) {
        infos.fill_counted(&count, &running(driver, device, long)?)
    }

    fn nvmlDeviceGetComputeRunningProcesses_v3(
        driver,
        device: Handle,
        count: Out<c_uint>,
        infos: Array<nvmlProcessInfo_v2_t>,
    ) {
        infos.fill_counted(&count, &running(driver, device, long)?)
    }

    fn nvmlDeviceGetGraphicsRunningProcesses(driver, device: Handle, count: Out<c_uint>) {
        none(driver, device, &count)
    }

    fn nvmlDeviceGetGraphicsRunningProcesses_v2(driver, device: Handle, count: Out<c_uint>) {
        none(driver, device, &count)
    }

    fn nvmlDeviceGetGraphicsRunningProcesses_v3(driver, device: Handle, count: Out<c_uint>) {
        none(driver, device, &count)
    }

    fn nvmlDeviceGetMPSComputeRunningProcesses(driver, device: Handle, count: Out<c_uint>) {
        none(driver, device, &count)
    }

    fn nvmlDeviceGetMPSComputeRunningProcesses_v2(driver, device: Handle, count: Out<c_uint>) {
        none(driver, device, &count)
    }

    fn nvmlDeviceGetMPSComputeRunningProcesses_v3(driver, device: Handle, count: Out<c_uint>) {
        none(driver, device, &count)
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

/// The processes of a device, in the form of the header's version. A whole GPU lists those of its
/// MIG devices too.
fn running<T>(
    driver: &Driver,
    device: Handle,
    form: fn(&Gpu, &Process) -> T,
) -> Result<Vec<T>, Code> {
    Ok(match device.device(&driver.state)? {
        Device::Whole(_, gpu) => gpu.processes.iter().map(|p| form(gpu, p)).collect(),
        Device::Mig(_, gpu, _, ci) => gpu
            .processes_on(Some(&ci.uuid))
            .map(|p| form(gpu, p))
            .collect(),
    })
}

fn short(_gpu: &Gpu, process: &Process) -> nvmlProcessInfo_v1_t {
    nvmlProcessInfo_v1_t {
        pid: process.pid,
        usedGpuMemory: process.memory_mib << 20,
    }
}

fn long(gpu: &Gpu, process: &Process) -> nvmlProcessInfo_v2_t {
    let on = gpu
        .compute_instances()
        .find(|(_, ci)| process.mig_uuid.as_ref() == Some(&ci.uuid));
    nvmlProcessInfo_v2_t {
        pid: process.pid,
        usedGpuMemory: process.memory_mib << 20,
        gpuInstanceId: on.map_or(NO_INSTANCE, |(gi, _)| gi.id),
        computeInstanceId: on.map_or(NO_INSTANCE, |(_, ci)| ci.id),
    }
}

/// Kinds of process that are not simulated: there are none.
fn none(driver: &Driver, device: Handle, count: &Out<c_uint>) -> Result<(), Code> {
    device.device(&driver.state)?;
    count.set(0)
}
