//! Which policies to look at after a change.

use crds::{GpuNode, GpuSharingPolicy};
use futures::stream::{self, Stream, StreamExt};
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;

use crate::caches::{Caches, Change};

/// Policies to look at. What happens to a node concerns any of them: it may win the node now, or
/// have lost it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wake {
    All,
    Only(String),
    None,
}

/// All policies once, then those that a change concerns.
pub fn wakes(caches: &Caches) -> impl Stream<Item = ObjectRef<GpuSharingPolicy>> + Send + 'static {
    let policies = caches.policies.changes();
    let policies = policies.map(|it| it.map_or(Wake::All, |change| of_policy(&change)));
    let gpu_nodes = caches.gpu_nodes.changes();
    let gpu_nodes = gpu_nodes.map(|it| it.map_or(Wake::All, |change| of_gpu_node(&change)));
    let nodes = caches.nodes.changes().map(|_| Wake::All);
    // The subscriptions above come first, so that no change falls between them and this.
    let start = stream::iter([Wake::All]);
    let sources = [
        start.boxed(),
        policies.boxed(),
        gpu_nodes.boxed(),
        nodes.boxed(),
    ];
    let known = caches.clone();
    stream::select_all(sources).flat_map(move |wake| stream::iter(woken(wake, &known)))
}

fn woken(wake: Wake, caches: &Caches) -> Vec<ObjectRef<GpuSharingPolicy>> {
    match wake {
        Wake::All => {
            let all = caches.policies.all().into_iter();
            all.map(|policy| ObjectRef::from_obj(&*policy)).collect()
        }
        Wake::Only(name) if caches.policies.get(&name).is_some() => vec![ObjectRef::new(&name)],
        Wake::Only(_) | Wake::None => Vec::new(),
    }
}

/// A new spec can take nodes from other policies; a new status is the policy's own.
fn of_policy(change: &Change<GpuSharingPolicy>) -> Wake {
    match (&change.before, &change.after) {
        (Some(before), Some(after)) if claims(before) == claims(after) => {
            Wake::Only(change.name.clone())
        }
        _ => Wake::All,
    }
}

fn claims(policy: &GpuSharingPolicy) -> impl PartialEq {
    let metadata = &policy.metadata;
    (
        policy.uid(),
        metadata.generation,
        metadata.deletion_timestamp.clone(),
    )
}

/// An agent's beat, every few seconds of an operation, concerns no policy.
fn of_gpu_node(change: &Change<GpuNode>) -> Wake {
    match (&change.before, &change.after) {
        (Some(before), Some(after)) if counted(before) == counted(after) => Wake::None,
        _ => Wake::All,
    }
}

/// All of a `GpuNode` that a policy's report goes by.
fn counted(gpu_node: &GpuNode) -> impl PartialEq {
    let status = gpu_node.status.as_ref();
    let agent = status.and_then(|status| status.agent.as_ref());
    (
        gpu_node.uid(),
        status.and_then(|status| status.maintenance.as_ref()),
        agent.map(|agent| (&agent.gpus, &agent.conditions)),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;

    fn gpu_node(phase: &str, beat: &str) -> Arc<GpuNode> {
        let gpu_node: Value = json!({
            "apiVersion": "gpusharing.dev/v1alpha1", "kind": "GpuNode",
            "metadata": {"name": "n1", "uid": "u"},
            "spec": {},
            "status": {
                "agent": {"bootId": "b", "operation": {"id": 1, "stage": "Destroying", "beat": beat}},
                "maintenance": {"phase": phase},
            },
        });
        Arc::new(serde_json::from_value(gpu_node).unwrap())
    }

    #[test]
    fn a_beat_wakes_nobody_and_a_phase_wakes_all() {
        let beat = |second: u8| format!("2026-11-23T00:00:0{second}.000000Z");
        for (expected, after) in [
            (Wake::None, Some(gpu_node("Repartitioning", &beat(1)))),
            (Wake::All, Some(gpu_node("Validating", &beat(0)))),
            (Wake::All, None),
        ] {
            let change = Change {
                name: "n1".to_owned(),
                before: Some(gpu_node("Repartitioning", &beat(0))),
                after,
            };
            assert_eq!(of_gpu_node(&change), expected);
        }
    }

    #[test]
    fn a_status_wakes_its_own_policy_and_a_spec_wakes_all() {
        let policy = |generation: i64, matched: i64| {
            let policy = json!({
                "apiVersion": "gpusharing.dev/v1alpha1", "kind": "GpuSharingPolicy",
                "metadata": {"name": "p", "uid": "u", "generation": generation},
                "spec": {"strategy": {"type": "Exclusive"}},
                "status": {"nodes": {"matched": matched}},
            });
            Some(Arc::new(serde_json::from_value(policy).unwrap()))
        };
        for (expected, after) in [
            (Wake::Only("p".to_owned()), policy(1, 2)),
            (Wake::All, policy(2, 1)),
            (Wake::All, None),
        ] {
            let change = Change {
                name: "p".to_owned(),
                before: policy(1, 1),
                after,
            };
            assert_eq!(of_policy(&change), expected);
        }
    }
}
