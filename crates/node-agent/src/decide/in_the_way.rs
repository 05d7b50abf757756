//! Who is on the devices that a change takes away: the last check before the first destructive step.

use std::collections::BTreeSet;

use crds::gpu_node::{GpuProcess, GpuStatus, MigInstance};

/// Everybody who holds an affected device, each as a clause for people; empty if nobody does.
///
/// Pods by the kubelet's account, and processes by NVML's on devices that no pod holds. Where NVML cannot tell the
/// instance, the process counts against every instance of its GPU unless a pod on that GPU accounts for it.
pub fn in_the_way(gpus: &[GpuStatus], affected: &BTreeSet<String>) -> Vec<String> {
    gpus.iter().flat_map(|gpu| on(gpu, affected)).collect()
}

fn on(gpu: &GpuStatus, affected: &BTreeSet<String>) -> Vec<String> {
    let pods = gpu
        .holders
        .iter()
        .filter(|holder| affected.contains(&holder.device))
        .map(|it| {
            let (namespace, pod) = (&it.namespace, &it.pod);
            format!("pod {namespace}/{pod} holds {}", it.device)
        });
    let strangers = gpu
        .processes
        .iter()
        .filter(|process| may_be_on(gpu, process, affected) && !is_accounted(gpu, process))
        .map(|it| format!("process {} of no pod runs on {}", it.pid, it.device));
    let all: BTreeSet<_> = pods.chain(strangers).collect();
    all.into_iter().collect()
}

fn may_be_on(gpu: &GpuStatus, process: &GpuProcess, affected: &BTreeSet<String>) -> bool {
    let mut devices = gpu.instances.iter().flat_map(MigInstance::devices);
    affected.contains(&process.device)
        || (process.device == gpu.uuid && devices.any(|device| affected.contains(device)))
}

fn is_accounted(gpu: &GpuStatus, process: &GpuProcess) -> bool {
    let mut holders = gpu.holders.iter();
    holders.any(|holder| holder.device == process.device || process.device == gpu.uuid)
}
