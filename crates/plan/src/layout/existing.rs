//! The instances of a GPU, and what moving each would cost.

use std::collections::BTreeSet;

use crds::gpu_node::{GpuStatus, MigInstance};

use super::{Existing, Occupancy};

/// The instances of a GPU as the search sees them. Unmovable are those that somebody else has made, unless `adopt`, and
/// those with processes that belong to no pod: evicting pods would not end these.
pub fn existing(gpu: &GpuStatus, adopt: bool) -> Vec<Existing> {
    let of = |instance: &MigInstance| Existing {
        profile: instance.profile.clone(),
        start: instance.start,
        size: instance.size,
        whole: instance.uuid.is_some(),
        occupancy: occupancy(gpu, instance, adopt),
    };
    gpu.instances.iter().map(of).collect()
}

fn occupancy(gpu: &GpuStatus, instance: &MigInstance, adopt: bool) -> Occupancy {
    let pods: BTreeSet<_> = gpu
        .holders
        .iter()
        .filter(|holder| stands_on(instance, &holder.device))
        .map(|holder| format!("{}/{}", holder.namespace, holder.pod))
        .collect();
    if !instance.owned && !adopt {
        return Occupancy::Unmovable(foreign(&pods));
    }
    if !pods.is_empty() {
        return Occupancy::Pods(pods);
    }
    let strangers = strangers(gpu, instance);
    if strangers.is_empty() {
        return Occupancy::Free;
    }
    Occupancy::Unmovable(format!(
        "in use by {}, which belongs to no pod; end it on the node",
        strangers.join(", ")
    ))
}

fn foreign(pods: &BTreeSet<String>) -> String {
    let by = "made by somebody else; set mig.adopt to let operations destroy it";
    if pods.is_empty() {
        return by.to_owned();
    }
    let pods: Vec<_> = pods.iter().map(String::as_str).collect();
    format!("held by {}, {by}", pods.join(", "))
}

/// Processes on an instance that no pod holds. Where NVML names only the GPU, a process may be on any of its instances;
/// it counts against all of them unless some pod holds one, whose process it then is.
fn strangers(gpu: &GpuStatus, instance: &MigInstance) -> Vec<String> {
    gpu.processes
        .iter()
        .filter(|process| {
            stands_on(instance, &process.device)
                || (process.device == gpu.uuid && gpu.holders.is_empty())
        })
        .map(|process| format!("process {}", process.pid))
        .collect()
}

/// Whether a device is this instance, or a part of it.
fn stands_on(instance: &MigInstance, device: &str) -> bool {
    instance.devices().any(|it| it == device)
}
