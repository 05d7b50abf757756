//! A pod as the device manager sees it.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Pod};

/// Written by the fleet once a pod has its devices; KWOK starts it then.
pub const DEVICES: &str = "bed/devices";

/// What a pod asks of the device manager, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodDemand {
    /// Its UID.
    pub uid: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// When it was created: the kubelet takes pods in this order.
    pub created: Option<jiff::Timestamp>,
    /// Containers in the order of the spec, with NVIDIA's resources and how many of each.
    pub containers: Vec<(String, BTreeMap<String, usize>)>,
    /// Its containers run.
    pub running: bool,
    /// It succeeded or failed: its devices are free.
    pub ended: bool,
    /// KWOK has been told that it has its devices.
    pub admitted: bool,
}

impl PodDemand {
    /// Init containers are left out: nobody in the bed gives them GPUs.
    pub fn of(pod: &Pod) -> Self {
        let phase = pod
            .status
            .as_ref()
            .and_then(|status| status.phase.as_deref());
        let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
        let metadata = &pod.metadata;
        Self {
            uid: metadata.uid.clone().unwrap_or_default(),
            namespace: metadata.namespace.clone().unwrap_or_default(),
            name: metadata.name.clone().unwrap_or_default(),
            created: metadata.creation_timestamp.as_ref().map(|time| time.0),
            containers: containers
                .map(|container| (container.name.clone(), devices_of(container)))
                .collect(),
            running: phase == Some("Running"),
            ended: matches!(phase, Some("Succeeded" | "Failed")),
            admitted: metadata
                .annotations
                .as_ref()
                .is_some_and(|annotations| annotations.contains_key(DEVICES)),
        }
    }

    /// Whether it asks for any device at all.
    pub fn wants_devices(&self) -> bool {
        self.containers
            .iter()
            .any(|(_, resources)| !resources.is_empty())
    }
}

fn devices_of(container: &Container) -> BTreeMap<String, usize> {
    let limits = container.resources.as_ref().and_then(|r| r.limits.as_ref());
    limits
        .into_iter()
        .flatten()
        .filter(|(name, _)| name.starts_with("nvidia.com/"))
        // The API server has seen to it that they are whole numbers.
        .filter_map(|(name, count)| Some((name.clone(), count.0.parse().ok()?)))
        .filter(|(_, count)| *count > 0)
        .collect()
}
