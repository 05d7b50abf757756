//! A pod as the decisions see it.

mod leaving;
mod protection;
mod requests;
mod running;
#[cfg(test)]
mod tests;
mod tier;

pub use protection::{Protection, Until};
pub use tier::Tier;

use std::collections::{BTreeMap, BTreeSet};

use crds::gpu_node::PodReference;
use crds::names;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

use crate::neighbours::{is_mps_daemon, labels_of};

/// What decides about a pod.
#[derive(Clone, Debug, PartialEq)]
pub struct PodView {
    /// Namespace, name and UID.
    pub reference: PodReference,
    /// `metadata.labels`.
    pub labels: BTreeMap<String, String>,
    /// All containers have ended for good: phase `Succeeded` or `Failed`.
    pub finished: bool,
    /// Since when it has been asked to end; unset: it has not.
    pub leaving_since: Option<Timestamp>,
    /// When the grace of a pod that has been asked to end is over: it should be gone then.
    pub leaving_until: Option<Timestamp>,
    /// Who must agree before it is gone (`metadata.finalizers`).
    pub finalizers: Vec<String>,
    /// Seconds that it gets to end if nobody says otherwise.
    pub own_grace: i64,
    /// Whether it leaves before or after others.
    pub tier: Tier,
    /// Who would make it anew.
    pub controller: Controller,
    /// It uses a volume whose content dies with it (`emptyDir`, in memory or not).
    pub empty_dir: bool,
    /// GPU resources that it asks for (see [`crate::node::is_gpu_resource`]), init containers included.
    pub gpus: BTreeMap<String, i64>,
    /// Since when the first of its containers that ask for GPUs has been running, in whole seconds; one that is started again
    /// counts anew. Unset: none of them runs.
    pub gpu_since: Option<Timestamp>,
    /// The deploy labels of NVIDIA's GPU clients that it needs on its node ([`names::GPU_CLIENT_LABELS`]).
    pub client_of: BTreeSet<String>,
    /// It is NVIDIA's own MPS daemon.
    pub is_mps_daemon: bool,
    /// The do-not-evict annotation.
    pub protection: Protection,
    /// When the kubelet began with it.
    pub started: Option<Timestamp>,
    /// When the scheduler bound it to the node.
    pub bound: Option<Timestamp>,
}

/// Who would make a pod anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Controller {
    /// Nobody.
    None,
    /// A `DaemonSet` (apps), which ignores cordons.
    DaemonSet,
    /// The kubelet itself: a mirror of a static pod, which cannot be evicted.
    Kubelet,
    /// Any other controller, by its kind.
    Other(String),
}

impl PodView {
    /// The view of a pod as it was read.
    pub fn of(pod: &Pod) -> Self {
        let meta = &pod.metadata;
        let annotation = |key: &str| meta.annotations.as_ref()?.get(key);
        Self {
            reference: PodReference {
                namespace: meta.namespace.clone().unwrap_or_default(),
                name: meta.name.clone().unwrap_or_default(),
                uid: meta.uid.clone().unwrap_or_default(),
            },
            labels: meta.labels.clone().unwrap_or_default(),
            finished: is_finished(pod),
            leaving_since: leaving::since(pod),
            leaving_until: leaving::until(pod),
            finalizers: meta.finalizers.clone().unwrap_or_default(),
            own_grace: leaving::own_grace(pod),
            tier: Tier::of(pod.spec.as_ref()),
            controller: controller(pod),
            empty_dir: has_empty_dir(pod),
            gpus: requests::gpus(pod),
            gpu_since: running::gpu_since(pod),
            client_of: labels_of(pod),
            is_mps_daemon: is_mps_daemon(pod),
            protection: annotation(names::ANNOTATION_DO_NOT_EVICT)
                .map_or(Protection::None, |value| Protection::parse(value)),
            started: pod
                .status
                .as_ref()
                .and_then(|status| Some(status.start_time.as_ref()?.0)),
            bound: bound(pod),
        }
    }

    /// `namespace/name`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.reference.namespace, self.reference.name)
    }
}

fn is_finished(pod: &Pod) -> bool {
    let phase = pod
        .status
        .as_ref()
        .and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

/// Who makes a pod anew when it is gone.
pub(crate) fn controller(pod: &Pod) -> Controller {
    const MIRROR: &str = "kubernetes.io/config.mirror";
    let annotations = pod.metadata.annotations.as_ref();
    if annotations.is_some_and(|annotations| annotations.contains_key(MIRROR)) {
        return Controller::Kubelet;
    }
    let owners = pod.metadata.owner_references.as_deref().unwrap_or_default();
    match owners.iter().find(|owner| owner.controller == Some(true)) {
        None => Controller::None,
        Some(owner) if is_daemon_set(owner) => Controller::DaemonSet,
        Some(owner) if owner.kind == "Node" => Controller::Kubelet,
        Some(owner) => Controller::Other(owner.kind.clone()),
    }
}

fn is_daemon_set(owner: &OwnerReference) -> bool {
    owner.kind == "DaemonSet" && owner.api_version.starts_with("apps/")
}

fn has_empty_dir(pod: &Pod) -> bool {
    pod.spec
        .as_ref()
        .and_then(|spec| spec.volumes.as_deref())
        .unwrap_or_default()
        .iter()
        .any(|volume| volume.empty_dir.is_some())
}

fn bound(pod: &Pod) -> Option<Timestamp> {
    pod.status
        .as_ref()?
        .conditions
        .as_deref()?
        .iter()
        .find(|condition| condition.type_ == "PodScheduled" && condition.status == "True")
        .and_then(|condition| Some(condition.last_transition_time.as_ref()?.0))
}
