//! Which nodes to look at after a change.

use std::collections::BTreeSet;
use std::sync::Arc;

use crds::policy::Slot;
use crds::{GpuNode, GpuSharingPolicy, names};
use futures::stream::{self, Stream, StreamExt};
use k8s_openapi::api::core::v1::{ConfigMap, Node};
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;
use plan::conditions;

use crate::caches::{Caches, Change};

/// Nodes to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wake {
    All,
    Only(BTreeSet<String>),
}

/// All nodes once, then those that a change concerns.
pub fn wakes(caches: &Caches) -> impl Stream<Item = ObjectRef<GpuNode>> + Send + 'static {
    let one = |name: String| Wake::Only(BTreeSet::from([name]));
    let gpu_nodes = caches.gpu_nodes.changes();
    let gpu_nodes = gpu_nodes.map(move |it| it.map_or(Wake::All, |change| one(change.name)));
    let nodes = caches.nodes.changes();
    let nodes = nodes.map(move |it| it.map_or(Wake::All, |change| one(change.name)));
    let policies = caches.policies.changes();
    let policies = policies.map(|it| it.map_or(Wake::All, |change| of_policy(&change)));
    let configs = caches.plugin_configs.changes();
    let (here, known) = (caches.clone(), caches.clone());
    let configs =
        configs.map(move |it| it.map_or(Wake::All, |it| of_configs(&it, &here.nodes.all())));
    // The subscriptions above come first, so that no change falls between them and this.
    let start = stream::iter([Wake::All]);
    let sources = [
        start.boxed(),
        gpu_nodes.boxed(),
        nodes.boxed(),
        policies.boxed(),
        configs.boxed(),
    ];
    stream::select_all(sources).flat_map(move |wake| stream::iter(woken(wake, &known)))
}

fn woken(wake: Wake, caches: &Caches) -> Vec<ObjectRef<GpuNode>> {
    let all = || caches.gpu_nodes.all().into_iter();
    match wake {
        Wake::All => all()
            .map(|gpu_node| ObjectRef::from_obj(&*gpu_node))
            .collect(),
        Wake::Only(names) => names
            .iter()
            .filter(|name| caches.gpu_nodes.get(name).is_some())
            .map(|name| ObjectRef::new(name))
            .collect(),
    }
}

/// A new spec or verdict concerns every node, if only to find out that it does not. A slot concerns
/// the node that gets or loses it.
fn of_policy(change: &Change<GpuSharingPolicy>) -> Wake {
    match (&change.before, &change.after) {
        (Some(before), Some(after)) if rules(before) == rules(after) => {
            let (before, after) = (slots(before), slots(after));
            let changed = before.iter().chain(&after);
            let changed = changed.filter(|slot| !(before.contains(slot) && after.contains(slot)));
            Wake::Only(changed.map(|slot| slot.node.clone()).collect())
        }
        _ => Wake::All,
    }
}

/// All of a policy that a node goes by, besides its slots.
fn rules(policy: &GpuSharingPolicy) -> impl PartialEq {
    let status = policy.status.as_ref();
    let holds =
        |condition| status.is_some_and(|status| conditions::holds(&status.conditions, condition));
    (
        policy.uid(),
        policy.metadata.generation,
        policy.metadata.deletion_timestamp.clone(),
        status.and_then(|status| status.observed_generation),
        holds("Valid"),
        holds("RolloutHalted"),
    )
}

fn slots(policy: &GpuSharingPolicy) -> Vec<Slot> {
    let status = policy.status.as_ref();
    status
        .map(|status| status.slots.clone())
        .unwrap_or_default()
}

/// Nodes whose configuration has changed.
fn of_configs(change: &Change<ConfigMap>, nodes: &[Arc<Node>]) -> Wake {
    let uses_changed = |node: &&Arc<Node>| {
        let key = node.labels().get(names::LABEL_PLUGIN_CONFIG);
        key.is_some_and(|key| {
            content(change.before.as_deref(), key) != content(change.after.as_deref(), key)
        })
    };
    let names = nodes.iter().filter(uses_changed);
    Wake::Only(names.map(|node| node.name_any()).collect())
}

fn content<'a>(configs: Option<&'a ConfigMap>, key: &str) -> Option<&'a String> {
    configs?.data.as_ref()?.get(key)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn policy(generation: i64, valid: &str, slots: &[&str]) -> Arc<GpuSharingPolicy> {
        let slot = |node: &&str| json!({"node": node, "uid": "u", "operation": 1, "since": "2026-11-23T00:00:00Z"});
        let slots: Vec<Value> = slots.iter().map(slot).collect();
        let policy = json!({
            "apiVersion": "gpusharing.dev/v1alpha1", "kind": "GpuSharingPolicy",
            "metadata": {"name": "p", "uid": "u", "generation": generation},
            "spec": {"strategy": {"type": "Exclusive"}},
            "status": {
                "observedGeneration": generation,
                "slots": slots,
                "conditions": [{
                    "type": "Valid", "status": valid, "reason": "x", "message": "",
                    "lastTransitionTime": "2026-11-23T00:00:00Z",
                }],
            },
        });
        Arc::new(serde_json::from_value(policy).unwrap())
    }

    fn halted(mut policy: Arc<GpuSharingPolicy>) -> Arc<GpuSharingPolicy> {
        let status = Arc::make_mut(&mut policy).status.as_mut().unwrap();
        let mut condition = status.conditions[0].clone();
        condition.type_ = "RolloutHalted".to_owned();
        condition.status = "True".to_owned();
        status.conditions.push(condition);
        policy
    }

    fn only(names: &[&str]) -> Wake {
        Wake::Only(names.iter().map(|&name| name.to_owned()).collect())
    }

    #[test]
    fn a_slot_wakes_its_node_and_a_new_rule_wakes_all() {
        let before = policy(1, "True", &["a", "b"]);
        for (expected, after) in [
            (only(&[]), Some(policy(1, "True", &["a", "b"]))),
            (only(&["b", "c"]), Some(policy(1, "True", &["a", "c"]))),
            (Wake::All, Some(policy(2, "True", &["a", "b"]))),
            (Wake::All, Some(policy(1, "False", &["a", "b"]))),
            (Wake::All, Some(halted(policy(1, "True", &["a", "b"])))),
            (Wake::All, None),
        ] {
            let change = Change {
                name: "p".to_owned(),
                before: Some(before.clone()),
                after,
            };
            assert_eq!(of_policy(&change), expected, "{change:?}");
        }
    }

    #[test]
    fn a_config_wakes_the_nodes_that_use_it() {
        let node = |name: &str, key: &str| {
            let labels = json!({names::LABEL_PLUGIN_CONFIG: key});
            let node = json!({"metadata": {"name": name, "labels": labels}});
            Arc::new(serde_json::from_value::<Node>(node).unwrap())
        };
        let configs = |data: Value| Some(Arc::new(serde_json::from_value(data).unwrap()));
        let change = Change {
            name: "configs".to_owned(),
            before: configs(json!({"metadata": {}, "data": {"k1": "a", "k2": "b"}})),
            after: configs(json!({"metadata": {}, "data": {"k1": "a", "k2": "edited", "k3": "c"}})),
        };
        let nodes = [node("n1", "k1"), node("n2", "k2"), node("n3", "k3")];
        assert_eq!(of_configs(&change, &nodes), only(&["n2", "n3"]));
    }
}
