//! Who runs on a device.
#![expect(unsafe_code, reason = "exported symbols")]

use std::ffi::{c_char, c_uint, c_ulonglong};

use nvml_wrapper_sys::bindings::{nvmlProcessInfo_v1_t, nvmlProcessInfo_v2_t, nvmlReturn_t};

use super::arg::{Array, Out, chars};
use super::call::{self, Driver};
use super::handle::{Device, Handle};
use crate::Code;
use crate::state::{Gpu, Process};

/// What NVML writes for the instance ids of a process that runs on a whole GPU.
const NO_INSTANCE: c_uint = c_uint::MAX;

export! {
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

/// A process as nvidia-smi 535 has it from its own functions: read off what it prints.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct NamedProcess {
    pid: c_uint,
    memory: c_ulonglong,
    gpu_instance: c_uint,
    compute_instance: c_uint,
    /// Seen to be no matter.
    unknown: c_ulonglong,
    name: [c_char; 4096],
}

/// The function behind nvidia-smi's list of computing processes.
pub extern "C" fn named_compute(
    device: Handle,
    count: Out<c_uint>,
    infos: Array<NamedProcess>,
) -> nvmlReturn_t {
    call::answer("nvmlInternalGetExportTable[212]", |driver| {
        infos.fill_counted(&count, &running(driver, device, named)?)
    })
}

/// The same for its list of drawing processes.
pub extern "C" fn named_graphics(
    device: Handle,
    count: Out<c_uint>,
    _infos: Array<NamedProcess>,
) -> nvmlReturn_t {
    call::answer("nvmlInternalGetExportTable[213]", |driver| {
        none(driver, device, &count)
    })
}

/// The same for its list of clients of MPS.
pub extern "C" fn named_mps(
    device: Handle,
    count: Out<c_uint>,
    _infos: Array<NamedProcess>,
) -> nvmlReturn_t {
    call::answer("nvmlInternalGetExportTable[214]", |driver| {
        none(driver, device, &count)
    })
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
    let (gpu_instance, compute_instance) = instance_ids(gpu, process);
    nvmlProcessInfo_v2_t {
        pid: process.pid,
        usedGpuMemory: process.memory_mib << 20,
        gpuInstanceId: gpu_instance,
        computeInstanceId: compute_instance,
    }
}

fn named(gpu: &Gpu, process: &Process) -> NamedProcess {
    let (gpu_instance, compute_instance) = instance_ids(gpu, process);
    NamedProcess {
        pid: process.pid,
        memory: process.memory_mib << 20,
        gpu_instance,
        compute_instance,
        unknown: 0,
        name: chars(&process.name),
    }
}

fn instance_ids(gpu: &Gpu, process: &Process) -> (c_uint, c_uint) {
    gpu.compute_instances()
        .find(|(_, ci)| process.mig_uuid.as_ref() == Some(&ci.uuid))
        .map_or((NO_INSTANCE, NO_INSTANCE), |(gi, ci)| (gi.id, ci.id))
}

/// Kinds of process that are not simulated: there are none.
fn none(driver: &Driver, device: Handle, count: &Out<c_uint>) -> Result<(), Code> {
    device.device(&driver.state)?;
    count.set(0)
}
