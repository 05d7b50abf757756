//! Who runs on a GPU and on its MIG devices.

use std::collections::BTreeSet;

use crds::gpu_node::GpuProcess;
use nvml_wrapper::Device;
use nvml_wrapper::struct_wrappers::device::ProcessInfo;

use super::call::{Answer, if_supported, wrapped};
use super::instances::Compute;

/// Compute and graphics processes, by pid. One on a MIG device has that device's UUID, if NVML lists it there or tells
/// its instance; else it has the GPU's. A library that lists no processes of a kind has none of them.
pub fn of(device: &Device<'_>, gpu: &str, computes: &[Compute<'_>]) -> Answer<Vec<GpuProcess>> {
    let mut found = BTreeSet::new();
    for compute in computes {
        let here = running(&compute.device)?;
        found.extend(here.into_iter().map(|process| on(&process, &compute.uuid)));
    }
    let sliced: BTreeSet<_> = found.iter().map(|process| process.pid).collect();
    for process in running(device)? {
        match compute_of(&process, computes) {
            Some(compute) => drop(found.insert(on(&process, &compute.uuid))),
            None if sliced.contains(&i64::from(process.pid)) => {}
            None => drop(found.insert(on(&process, gpu))),
        }
    }
    Ok(found.into_iter().collect())
}

fn running(device: &Device<'_>) -> Answer<Vec<ProcessInfo>> {
    let compute = wrapped(
        "nvmlDeviceGetComputeRunningProcesses_v3",
        device.running_compute_processes(),
    );
    let graphics = wrapped(
        "nvmlDeviceGetGraphicsRunningProcesses_v3",
        device.running_graphics_processes(),
    );
    let mut all = if_supported(compute)?.unwrap_or_default();
    all.extend(if_supported(graphics)?.unwrap_or_default());
    Ok(all)
}

fn compute_of<'a, 'nvml>(
    process: &ProcessInfo,
    computes: &'a [Compute<'nvml>],
) -> Option<&'a Compute<'nvml>> {
    let ids = (process.gpu_instance_id?, process.compute_instance_id?);
    computes.iter().find(|compute| compute.ids == ids)
}

fn on(process: &ProcessInfo, device: &str) -> GpuProcess {
    GpuProcess {
        pid: i64::from(process.pid),
        device: device.to_owned(),
    }
}
