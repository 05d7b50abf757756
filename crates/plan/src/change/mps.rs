//! Whether MPS serves the GPUs as their target says.
//!
//! A node has one daemon, and what it is told counts for whoever comes next only: to serve other GPUs, or by other limits,
//! it is started anew, and every GPU that it serves is emptied for that.

use std::collections::BTreeMap;

use crds::gpu_node::{GpuStatus, GpuTarget, SharingTarget, Target};

/// Whether the daemon must be started, stopped, or told other limits. GPUs that are not there have no say.
pub(super) fn restarts(current: &[GpuStatus], target: &Target) -> bool {
    let named = |gpu: &&GpuStatus| target.gpus.iter().any(|wanted| wanted.uuid == gpu.uuid);
    let there = |uuid: &str| current.iter().any(|gpu| gpu.uuid == uuid);
    let served = current.iter().filter(named);
    let served: BTreeMap<_, _> = served
        .filter_map(|gpu| Some((gpu.uuid.as_str(), gpu.mps.as_ref()?)))
        .collect();
    let asked: BTreeMap<_, _> = target
        .gpus
        .iter()
        .filter(|gpu| there(&gpu.uuid))
        .filter_map(|gpu| Some((gpu.uuid.as_str(), gpu.through_mps()?)))
        .collect();
    served != asked
}

/// In what a GPU differs from its target. None: in nothing.
pub(super) fn difference(gpu: &GpuStatus, target: &GpuTarget) -> Option<String> {
    match (gpu.mps.as_ref(), target.through_mps()) {
        (None, None) => None,
        (None, Some(should)) => {
            let should = clients(should);
            Some(format!("MPS does not serve it, and should: {should}"))
        }
        (Some(is), None) => Some(format!("MPS serves it, and should not: {}", clients(is))),
        (Some(is), Some(should)) => (is != should).then(|| {
            let (is, should) = (clients(is), clients(should));
            format!("MPS serves {is}, and should serve {should}")
        }),
    }
}

/// A GPU in few words, with its MPS clients if it has any.
pub(super) fn described(gpu: String, sharing: Option<&SharingTarget>) -> String {
    match sharing {
        None => gpu,
        Some(sharing) => format!("{gpu}, {}", clients(sharing)),
    }
}

/// `4 MPS clients of 25 % and 10240 MiB`.
fn clients(sharing: &SharingTarget) -> String {
    let replicas = sharing.replicas;
    let Some(client) = &sharing.mps else {
        return format!("{replicas} MPS clients");
    };
    let memory = client.memory_limit_mib;
    let memory = memory.map_or_else(String::new, |mib| format!(" and {mib} MiB"));
    let percentage = client.active_thread_percentage;
    format!("{replicas} MPS clients of {percentage} %{memory}")
}
