//! One GPU as it is now.

use crds::gpu_node::{GpuStatus, MigMode};
use nvml_wrapper::Device;

use super::call::{Answer, if_supported, wrapped};
use super::instances::{self, Compute, Instance};
use super::{compute_mode, integer, mode, processes, profiles};

/// Reads a GPU whose index and UUID are known.
pub fn read(device: &Device<'_>, index: u32, uuid: String) -> Answer<GpuStatus> {
    let mig = mode::read(device)?;
    let profiles = match mig.current {
        MigMode::NotSupported => Vec::new(),
        MigMode::Disabled | MigMode::Enabled => profiles::offers(device)?,
    };
    let instances = match mig.current {
        MigMode::NotSupported | MigMode::Disabled => Vec::new(),
        MigMode::Enabled => with_computes(instances::all(device, &profiles)?)?,
    };
    let status = |(instance, computes): &Occupied<'_>| instance.status(computes);
    let slices = instances.iter().map(status).collect();
    let computes: Vec<_> = instances
        .into_iter()
        .flat_map(|(_, computes)| computes)
        .collect();
    Ok(GpuStatus {
        index: integer(index),
        product: wrapped("nvmlDeviceGetName", device.name())?,
        memory_mib: memory_mib(device)?,
        compute_capability: compute_capability(device)?,
        mig,
        instances: slices,
        profiles,
        compute_mode: compute_mode::read(device)?,
        mps: None,
        holders: Vec::new(),
        processes: processes::of(device, &uuid, &computes)?,
        uuid,
    })
}

/// A GPU instance, and the compute instances in it.
type Occupied<'nvml> = (Instance<'nvml>, Vec<Compute<'nvml>>);

fn with_computes(instances: Vec<Instance<'_>>) -> Answer<Vec<Occupied<'_>>> {
    instances
        .into_iter()
        .map(|instance| {
            let computes = instance.computes()?;
            Ok((instance, computes))
        })
        .collect()
}

/// 0 where the GPU has no memory of its own to report.
fn memory_mib(device: &Device<'_>) -> Answer<i64> {
    let memory = if_supported(wrapped("nvmlDeviceGetMemoryInfo_v2", device.memory_info()))?;
    let bytes = memory.map_or(0, |memory| memory.total);
    Ok(i64::try_from(bytes >> 20).unwrap_or(i64::MAX))
}

fn compute_capability(device: &Device<'_>) -> Answer<Option<String>> {
    let call = "nvmlDeviceGetCudaComputeCapability";
    let read = if_supported(wrapped(call, device.cuda_compute_capability()))?;
    Ok(read.map(|version| format!("{}.{}", version.major, version.minor)))
}
