//! What has become of a node: phases, conditions, events, GPUs.

use std::time::Duration;

use crds::gpu_node::{HistoryEntry, MaintenanceStatus, Phase};
use crds::{GpuNode, GpuSharingPolicy, names};
use e2e::{History, Look, PATIENCE, eventually, wait_within};
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::ListParams;
use kube::{Api, ResourceExt};

use crate::scene::{LONG, Scene};

/// Where the operator is with a node; before its first word, nowhere.
pub fn maintenance(node: &GpuNode) -> MaintenanceStatus {
    let status = node.status.as_ref();
    status
        .and_then(|status| status.maintenance.clone())
        .unwrap_or_default()
}

/// The phase that a node is in.
pub fn phase(node: &GpuNode) -> Phase {
    maintenance(node).phase
}

/// A condition of this type.
pub fn condition<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == kind)
}

/// The reason for which a node waits.
pub fn waits_for(maintenance: &MaintenanceStatus) -> Option<&str> {
    let pending = condition(&maintenance.conditions, "MaintenancePending")?;
    (pending.status == "True").then_some(pending.reason.as_str())
}

/// How a node stands in the cluster: unschedulable, marked by an operation of ours, tainted for maintenance.
pub fn standing(node: &Node) -> (bool, bool, bool) {
    let spec = node.spec.clone().unwrap_or_default();
    let mut taints = spec.taints.iter().flatten();
    (
        spec.unschedulable == Some(true),
        node.annotations().contains_key(names::ANNOTATION_OPERATION),
        taints.any(|taint| taint.key == names::TAINT_MAINTENANCE),
    )
}

/// Cordoned, marked and tainted by us.
pub const OURS: (bool, bool, bool) = (true, true, true);
/// Open to pods, with nothing of ours on it.
pub const FREE: (bool, bool, bool) = (false, false, false);
/// Cordoned by somebody else, with nothing of ours on it.
pub const THEIRS: (bool, bool, bool) = (true, false, false);

impl Scene {
    /// Every version of one node's `GpuNode` from now on.
    pub async fn watch(&self, node: &str) -> History<GpuNode> {
        let selector = format!("metadata.name={node}");
        History::of(self.cluster.gpu_nodes(), &selector)
            .await
            .unwrap()
    }

    /// Every version of the nodes from now on.
    pub async fn watch_nodes(&self) -> History<Node> {
        History::of(Api::all(self.cluster.client.clone()), "")
            .await
            .unwrap()
    }

    /// How a node stands now.
    pub async fn standing(&self, node: &str) -> (bool, bool, bool) {
        standing(&self.cluster.node(node).get().await.unwrap())
    }

    /// Waits until a node stands so.
    pub async fn wait_standing(&self, node: &str, wanted: (bool, bool, bool)) {
        let what = format!("(unschedulable, marked, tainted) is {wanted:?}");
        let node = self.cluster.node(node);
        node.wait(&what, |node| standing(node) == wanted)
            .await
            .unwrap();
    }

    /// Waits until the operator's word about a node satisfies a condition.
    pub async fn wait_node(
        &self,
        node: &str,
        what: &str,
        is: impl FnMut(&MaintenanceStatus) -> bool,
    ) -> MaintenanceStatus {
        self.wait_node_within(LONG, node, what, is).await
    }

    /// [`Self::wait_node`] with another patience.
    pub async fn wait_node_within(
        &self,
        patience: Duration,
        node: &str,
        what: &str,
        mut is: impl FnMut(&MaintenanceStatus) -> bool,
    ) -> MaintenanceStatus {
        let gpu_nodes = self.cluster.gpu_nodes();
        let is = |node: &GpuNode| is(&maintenance(node));
        let node = wait_within(patience, &gpu_nodes, node, what, is).await;
        maintenance(&node.unwrap())
    }

    /// Waits until a node is in a phase.
    pub async fn wait_phase(&self, node: &str, phase: Phase) -> MaintenanceStatus {
        let what = format!("is {phase:?}");
        self.wait_node(node, &what, |status| status.phase == phase)
            .await
    }

    /// Waits until one of the nodes is in a phase, and returns which.
    pub async fn wait_any<'a>(&self, nodes: &[&'a str], wanted: Phase) -> &'a str {
        let what = format!("one of {nodes:?} is {wanted:?}");
        eventually(&what, LONG, async || {
            let mut phases = Vec::new();
            for name in nodes {
                let found = self.cluster.gpu_nodes().get(name).await;
                phases.push(phase(&found.map_err(e2e::Error::api("get a GpuNode"))?));
            }
            let found = phases.iter().position(|phase| *phase == wanted);
            Ok(found.map_or_else(
                || Look::NotYet(format!("{phases:?}")),
                |at| Look::Done(nodes[at]),
            ))
        })
        .await
        .unwrap()
    }

    /// Waits until a node waits for this reason.
    pub async fn wait_reason(&self, node: &str, reason: &str) -> MaintenanceStatus {
        let what = format!("waits because of {reason}");
        let is = |status: &MaintenanceStatus| {
            status.phase == Phase::Pending && waits_for(status) == Some(reason)
        };
        self.wait_node(node, &what, is).await
    }

    /// Waits until a node is as this version of a policy says.
    pub async fn in_sync(&self, node: &str, policy: &GpuSharingPolicy) -> MaintenanceStatus {
        let generation = policy.metadata.generation;
        let is = |node: &GpuNode| {
            let wanted = node.spec.policy.as_ref();
            let wanted = wanted.filter(|it| it.name == policy.name_any());
            wanted.map(|it| it.generation) == generation && phase(node) == Phase::InSync
        };
        let what = "is in sync with its policy";
        let gpu_nodes = self.cluster.gpu_nodes();
        let node = wait_within(LONG, &gpu_nodes, node, what, is).await;
        maintenance(&node.unwrap())
    }

    /// Waits until an operation of a node is over, and returns how.
    pub async fn wait_over(&self, node: &str) -> HistoryEntry {
        let what = "an operation is over";
        let status = self.wait_node(node, what, |status| !status.history.is_empty());
        status.await.history.remove(0)
    }

    /// The slices of a node's first GPU from left to right; none if it is whole.
    pub fn slices(&self, node: &str) -> Vec<String> {
        let gpu = self.cluster.node(node).gpus().gpus().unwrap().remove(0);
        gpu.instances
            .into_iter()
            .map(|instance| instance.profile)
            .collect()
    }

    /// UUIDs of the MIG devices of a node's first GPU, by their start.
    pub fn devices(&self, node: &str) -> Vec<(u32, String)> {
        let gpu = self.cluster.node(node).gpus().gpus().unwrap().remove(0);
        let device = |(start, mut uuids): (u32, Vec<String>)| (start, uuids.remove(0));
        let instances = gpu.instances.into_iter();
        instances
            .map(|it| device((it.start, it.mig_uuids)))
            .collect()
    }

    /// Waits until an event with this reason is about a node; returns the reasons of all of them, oldest first.
    ///
    /// The operator writes its status first and its events after it: who saw the one may be before the other.
    pub async fn events_until(&self, node: &str, reason: &str) -> Vec<String> {
        eventually("the administrator is told", PATIENCE, async || {
            let events = self.events("Node", node).await;
            Ok(if events.iter().any(|it| it == reason) {
                Look::Done(events)
            } else {
                Look::NotYet(format!("no {reason} among {events:?}"))
            })
        })
        .await
        .unwrap()
    }

    /// Reasons of the operator's events about an object so far, oldest first.
    pub async fn events(&self, kind: &str, name: &str) -> Vec<String> {
        let events: Api<Event> = Api::default_namespaced(self.cluster.client.clone());
        let params = ListParams::default();
        let mut events = events.list(&params).await.unwrap().items;
        let about = |event: &Event| {
            let regarding = event.regarding.clone().unwrap_or_default();
            regarding.kind.as_deref() == Some(kind)
                && regarding.name.as_deref() == Some(name)
                && event.reporting_controller.as_deref() == Some("gpusharing.dev/operator")
        };
        events.retain(about);
        events.sort_by_key(|event| event.event_time.clone().map(|time| time.0));
        events
            .into_iter()
            .filter_map(|event| event.reason)
            .collect()
    }
}
