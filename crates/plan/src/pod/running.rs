//! Since when the containers of a pod run.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, ContainerStatus, Pod};

use super::requests::asked;

/// Since when the first of those that ask for GPUs has been running, by the kubelet's account.
pub(super) fn gpu_since(pod: &Pod) -> Option<Timestamp> {
    let (spec, status) = (pod.spec.as_ref()?, pod.status.as_ref()?);
    let containers = spec.containers.iter();
    let containers = containers.chain(spec.init_containers.iter().flatten());
    let with_gpus: Vec<_> = containers.filter(|it| !asked(it).is_empty()).collect();
    let statuses = status.container_statuses.iter().flatten();
    let statuses = statuses.chain(status.init_container_statuses.iter().flatten());
    let of_gpus = statuses.filter(|status| is_of(status, &with_gpus));
    of_gpus.filter_map(since).min()
}

fn is_of(status: &ContainerStatus, containers: &[&Container]) -> bool {
    let mut containers = containers.iter();
    containers.any(|container| container.name == status.name)
}

fn since(status: &ContainerStatus) -> Option<Timestamp> {
    let running = status.state.as_ref()?.running.as_ref()?;
    Some(running.started_at.as_ref()?.0)
}
