//! Who holds which devices, by the account of the node's agent.

use std::collections::{BTreeMap, BTreeSet};

use crds::gpu_node::GpuStatus;

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

/// The resources as which these devices are advertised, shared or not.
pub(super) fn resources(gpus: &[GpuStatus], devices: &BTreeSet<String>) -> BTreeSet<String> {
    let whole = gpus
        .iter()
        .filter(|gpu| devices.contains(&gpu.uuid))
        .map(|_| "nvidia.com/gpu".to_owned());
    let slices = gpus
        .iter()
        .flat_map(|gpu| &gpu.instances)
        .filter(|slice| slice.uuid.as_ref().is_some_and(|id| devices.contains(id)))
        .map(|slice| profile::resource(&slice.profile));
    whole
        .chain(slices)
        .flat_map(|name| [format!("{name}.shared"), name])
        .collect()
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
