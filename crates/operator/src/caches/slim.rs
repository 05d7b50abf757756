//! What is kept of each kind of object, and which differences can matter to anybody.

use crds::{GpuNode, GpuSharingPolicy, names};
use k8s_openapi::api::core::v1::{ConfigMap, Node, NodeSpec, NodeStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use plan::neighbours::{is_read_annotation, is_read_resource};
use plan::node::is_gpu_resource;

/// An object of which a part is kept.
pub trait Slim {
    /// Drops what nobody reads from the cache.
    fn slim(&mut self);

    /// Whether nothing that matters differs. Both have been slimmed.
    fn alike(&self, other: &Self) -> bool;
}

impl Slim for Node {
    /// 20 kB become about one: images, addresses, heartbeats and `managedFields` go. Decisions on a
    /// cordon need the latter and read the node afresh.
    fn slim(&mut self) {
        slim(&mut self.metadata);
        if let Some(annotations) = &mut self.metadata.annotations {
            annotations.retain(|key, _| is_ours(key) || is_read_annotation(key));
        }
        self.spec = self.spec.take().map(|spec| NodeSpec {
            taints: spec.taints,
            unschedulable: spec.unschedulable,
            ..NodeSpec::default()
        });
        self.status = self.status.take().map(slim_status);
    }

    fn alike(&self, other: &Self) -> bool {
        alike(&self.metadata, &other.metadata)
            && self.spec == other.spec
            && self.status == other.status
    }
}

impl Slim for GpuNode {
    fn slim(&mut self) {
        slim(&mut self.metadata);
    }

    fn alike(&self, other: &Self) -> bool {
        alike(&self.metadata, &other.metadata)
            && self.spec == other.spec
            && self.status == other.status
    }
}

impl Slim for GpuSharingPolicy {
    fn slim(&mut self) {
        slim(&mut self.metadata);
    }

    fn alike(&self, other: &Self) -> bool {
        alike(&self.metadata, &other.metadata)
            && self.spec == other.spec
            && self.status == other.status
    }
}

impl Slim for ConfigMap {
    fn slim(&mut self) {
        slim(&mut self.metadata);
        self.binary_data = None;
    }

    fn alike(&self, other: &Self) -> bool {
        alike(&self.metadata, &other.metadata) && self.data == other.data
    }
}

fn is_ours(annotation: &str) -> bool {
    let group = annotation.split_once('/').map(|(group, _)| group);
    group == Some(names::GROUP)
}

fn slim(metadata: &mut ObjectMeta) {
    metadata.managed_fields = None;
}

/// All but the resource version, which changes with every write of anything.
fn alike(one: &ObjectMeta, other: &ObjectMeta) -> bool {
    one.uid == other.uid
        && one.generation == other.generation
        && one.labels == other.labels
        && one.annotations == other.annotations
        && one.owner_references == other.owner_references
        && one.deletion_timestamp == other.deletion_timestamp
}

/// Whether the node is ready, and its GPUs; without the heartbeat's times.
fn slim_status(status: NodeStatus) -> NodeStatus {
    let conditions = status.conditions.unwrap_or_default();
    let ready = conditions.into_iter().filter(|it| it.type_ == "Ready");
    let ready = ready.map(|mut condition| {
        condition.last_heartbeat_time = None::<Time>;
        condition
    });
    let allocatable = status.allocatable.unwrap_or_default();
    let gpus = allocatable
        .into_iter()
        .filter(|(name, _)| is_gpu_resource(name) || is_read_resource(name));
    NodeStatus {
        conditions: Some(ready.collect()),
        allocatable: Some(gpus.collect()),
        ..NodeStatus::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn node(heartbeat: &str, unschedulable: bool) -> Node {
        let mut node: Node = serde_json::from_value(json!({
            "metadata": {
                "name": "n1", "uid": "u", "resourceVersion": heartbeat,
                "labels": {"zone": "a"},
                "annotations": {"gpusharing.dev/hold": "true", "example.com/big": "x".repeat(1000)},
                "managedFields": [{"manager": "kubelet"}],
            },
            "spec": {"unschedulable": unschedulable, "podCIDR": "10.0.0.0/24"},
            "status": {
                "images": [{"names": ["big"]}],
                "conditions": [
                    {"type": "DiskPressure", "status": "False"},
                    {"type": "Ready", "status": "True", "lastHeartbeatTime": heartbeat},
                ],
                "allocatable": {"cpu": "8", "nvidia.com/mig-1g.5gb": "7"},
            },
        }))
        .unwrap();
        node.slim();
        node
    }

    #[test]
    fn a_node_keeps_what_is_read_and_nothing_else() {
        let expected: Value = json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {
                "name": "n1", "uid": "u", "resourceVersion": "2026-11-23T00:00:00Z",
                "labels": {"zone": "a"},
                "annotations": {"gpusharing.dev/hold": "true"},
            },
            "spec": {"unschedulable": true},
            "status": {
                "conditions": [{"type": "Ready", "status": "True"}],
                "allocatable": {"nvidia.com/mig-1g.5gb": "7"},
            },
        });
        let slimmed = serde_json::to_value(node("2026-11-23T00:00:00Z", true)).unwrap();
        assert_eq!(slimmed, expected);
    }

    #[test]
    fn a_heartbeat_is_no_change_and_a_cordon_is_one() {
        let before = node("2026-11-23T00:00:00Z", false);
        assert!(before.alike(&node("2026-11-23T00:00:10Z", false)));
        assert!(!before.alike(&node("2026-11-23T00:00:10Z", true)));
    }
}
