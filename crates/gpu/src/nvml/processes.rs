//! Who runs on a GPU and on its MIG devices.

use std::collections::BTreeSet;

use crds::gpu_node::GpuProcess;
use nvml_wrapper::Device;
use nvml_wrapper::struct_wrappers::device::ProcessInfo;

use super::call::{Answer, if_supported, wrapped};
use super::instances::Compute;

/// Compute and graphics processes, by pid. A library that lists no processes of a kind has none of them.
pub fn of(device: &Device<'_>, gpu: &str, computes: &[Compute<'_>]) -> Answer<Vec<GpuProcess>> {
    let slice = |compute: &Compute<'_>| {
        Ok(Slice {
            ids: compute.ids,
            uuid: compute.uuid.clone(),
            running: running(&compute.device)?,
        })
    };
    let slices: Vec<_> = computes.iter().map(slice).collect::<Answer<_>>()?;
    Ok(placed(gpu, &running(device)?, &slices))
}

/// A MIG device, and what NVML lists on it.
struct Slice {
    /// Of the GPU instance and of the compute instance.
    ids: (u32, u32),
    uuid: String,
    running: Vec<ProcessInfo>,
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

/// A process is on the MIG device that lists it, or whose ids the GPU's list tells; else on the GPU. `running` is the
/// GPU's list, which has the processes of its MIG devices too, but only for callers with enough rights.
fn placed(gpu: &str, running: &[ProcessInfo], slices: &[Slice]) -> Vec<GpuProcess> {
    let mut found = BTreeSet::new();
    for slice in slices {
        found.extend(slice.running.iter().map(|process| on(process, &slice.uuid)));
    }
    let placed: BTreeSet<_> = found.iter().map(|process| process.pid).collect();
    for process in running {
        match slice_of(process, slices) {
            Some(slice) => drop(found.insert(on(process, &slice.uuid))),
            None if placed.contains(&i64::from(process.pid)) => {}
            None => drop(found.insert(on(process, gpu))),
        }
    }
    found.into_iter().collect()
}

fn slice_of<'a>(process: &ProcessInfo, slices: &'a [Slice]) -> Option<&'a Slice> {
    let ids = (process.gpu_instance_id?, process.compute_instance_id?);
    slices.iter().find(|slice| slice.ids == ids)
}

fn on(process: &ProcessInfo, device: &str) -> GpuProcess {
    GpuProcess {
        pid: i64::from(process.pid),
        device: device.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use nvml_wrapper::enums::device::UsedGpuMemory;
    use nvml_wrapper::struct_wrappers::device::ProcessInfo;

    use super::{Slice, placed};

    fn process(pid: u32, ids: Option<(u32, u32)>) -> ProcessInfo {
        ProcessInfo {
            pid,
            used_gpu_memory: UsedGpuMemory::Unavailable,
            gpu_instance_id: ids.map(|(gpu_instance, _)| gpu_instance),
            compute_instance_id: ids.map(|(_, compute_instance)| compute_instance),
        }
    }

    /// MIG-A is compute instance 0 of GPU instance 1, MIG-B that of 2.
    fn devices(on_gpu: &[ProcessInfo], on_a: &[ProcessInfo]) -> Vec<(i64, String)> {
        let slice = |gpu_instance, uuid: &str, running: &[ProcessInfo]| Slice {
            ids: (gpu_instance, 0),
            uuid: uuid.to_owned(),
            running: running.to_vec(),
        };
        let slices = [slice(1, "MIG-A", on_a), slice(2, "MIG-B", &[])];
        let placed = placed("GPU-1", on_gpu, &slices).into_iter();
        placed
            .map(|process| (process.pid, process.device))
            .collect()
    }

    fn at(pid: i64, device: &str) -> (i64, String) {
        (pid, device.to_owned())
    }

    #[test]
    fn a_process_is_where_its_ids_say() {
        let running = [process(7, Some((2, 0))), process(6, Some((1, 0)))];
        assert_eq!(devices(&running, &[]), [at(6, "MIG-A"), at(7, "MIG-B")]);
    }

    #[test]
    fn a_process_is_where_it_is_listed_though_the_gpu_does_not_tell_where_or_hides_it() {
        let listed = [process(7, None)];
        assert_eq!(devices(&[process(7, None)], &listed), [at(7, "MIG-A")]);
        assert_eq!(devices(&[], &listed), [at(7, "MIG-A")]);
    }

    #[test]
    fn a_process_may_be_on_two_devices_and_is_on_each_once() {
        let running = [process(7, Some((1, 0))), process(7, Some((2, 0)))];
        let found = devices(&running, &[process(7, None)]);
        assert_eq!(found, [at(7, "MIG-A"), at(7, "MIG-B")]);
    }

    #[test]
    fn a_process_of_an_unknown_instance_is_on_the_gpu() {
        let running = [process(7, Some((9, 0))), process(8, None)];
        assert_eq!(devices(&running, &[]), [at(7, "GPU-1"), at(8, "GPU-1")]);
    }
}
