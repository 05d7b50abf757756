//! Who holds which devices, by the account of the node's agent.

use std::collections::{BTreeMap, BTreeSet};

use crds::gpu_node::GpuStatus;

use crate::change::is_on as is_mig_on;
use crate::offer::{GPU, SHARED};
use crate::profile;

/// Pods by `namespace/name` (the kubelet's account has no UIDs) and the devices that they hold.
pub(super) fn held(gpus: &[GpuStatus]) -> BTreeMap<String, BTreeSet<&str>> {
    let mut held: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for holder in gpus.iter().flat_map(|gpu| &gpu.holders) {
        held.entry(format!("{}/{}", holder.namespace, holder.pod))
            .or_default()
            .insert(&holder.device);
    }
    held
}

/// The resources as which these devices may be advertised, shared or not. A slice is `nvidia.com/gpu` with `advertise:
/// Single`, which the plugin knows only where every GPU of the node is in MIG mode; elsewhere those are whole GPUs.
pub(super) fn resources(gpus: &[GpuStatus], devices: &BTreeSet<String>) -> BTreeSet<String> {
    let is_whole = gpus.iter().any(|gpu| devices.contains(&gpu.uuid));
    let slices = gpus
        .iter()
        .flat_map(|gpu| &gpu.instances)
        .filter(|slice| slice.uuid.as_ref().is_some_and(|id| devices.contains(id)));
    let mut names: BTreeSet<_> = slices.map(|it| profile::resource(&it.profile)).collect();
    let is_single = !names.is_empty() && gpus.iter().all(|gpu| is_mig_on(gpu.mig.current));
    if is_whole || is_single {
        names.insert(GPU.to_owned());
    }
    let shared: Vec<_> = names.iter().map(|name| format!("{name}{SHARED}")).collect();
    names.extend(shared);
    names
}

/// Processes on these devices although no pod holds the device: nobody knows whose they are.
pub(super) fn unknown_processes<'a>(
    gpus: &'a [GpuStatus],
    devices: &'a BTreeSet<String>,
) -> impl Iterator<Item = (i64, &'a str)> {
    gpus.iter().flat_map(move |gpu| {
        gpu.processes
            .iter()
            .filter(|process| devices.contains(&process.device))
            .filter(|process| {
                gpu.holders
                    .iter()
                    .all(|holder| !is_on(gpu, &holder.device, &process.device))
            })
            .map(|process| (process.pid, process.device.as_str()))
    })
}

/// A process is reported on its whole GPU when its slice cannot be told.
fn is_on(gpu: &GpuStatus, held: &str, used: &str) -> bool {
    held == used || used == gpu.uuid
}
