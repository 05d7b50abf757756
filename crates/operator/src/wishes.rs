//! What each node should be, planned once and kept until something changes that the plan depends on.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use crds::gpu_node::GpuStatus;
use crds::{GpuNode, GpuSharingPolicy};
use k8s_openapi::api::core::v1::Node;
use kube::ResourceExt;
use plan::neighbours::Neighbours;
use plan::resolve::{self, Wish};

/// What a node should be, and by which policy.
#[derive(Debug)]
pub struct Wished {
    /// The name of the policy that wins the node.
    pub policy: Option<String>,
    /// What it says for this node.
    pub wish: Wish,
}

impl Wished {
    /// For a node that is not there.
    pub fn nothing() -> Self {
        Self {
            policy: None,
            wish: Wish::Unmanaged,
        }
    }

    /// Plans for one node, beside these neighbours. `protected` are pods on it, `namespace/name`, that must not be evicted.
    pub fn plan(
        policies: &[Arc<GpuSharingPolicy>],
        gpu_node: &GpuNode,
        node: &Node,
        neighbours: &Neighbours,
        protected: &BTreeSet<String>,
    ) -> Self {
        let policies = policies.iter().map(|policy| &**policy);
        let (labels, gpus) = (node.labels(), gpus(gpu_node));
        let (winner, wish) = resolve::wish(policies, labels, neighbours, gpus, protected);
        Self {
            policy: winner.map(ResourceExt::name_any),
            wish,
        }
    }
}

/// Plans that still hold. Planning one node takes up to a millisecond; a fleet has thousands.
#[derive(Debug, Default)]
pub struct Wishes {
    by_node: Mutex<HashMap<String, Known>>,
}

#[derive(Debug)]
struct Known {
    basis: Basis,
    wished: Arc<Wished>,
}

/// All that a plan depends on.
#[derive(Debug)]
struct Basis {
    policies: Vec<Rules>,
    labels: BTreeMap<String, String>,
    neighbours: Neighbours,
    gpus: Vec<GpuStatus>,
}

impl Basis {
    fn of(policies: Vec<Rules>, gpu_node: &GpuNode, node: &Node) -> Self {
        Self {
            policies,
            labels: node.labels().clone(),
            neighbours: Neighbours::of(node),
            gpus: gpus(gpu_node).to_vec(),
        }
    }

    fn still_holds(&self, policies: &[Rules], gpu_node: &GpuNode, node: &Node) -> bool {
        self.policies == policies
            && self.labels == *node.labels()
            && self.neighbours == Neighbours::of(node)
            && self.gpus == gpus(gpu_node)
    }
}

/// A policy at one point of its life.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rules {
    uid: Option<String>,
    generation: Option<i64>,
    is_deleted: bool,
}

impl Wishes {
    /// What the node should be. Planned anew only if its labels, its GPUs or a policy have changed.
    ///
    /// Who on it must not be evicted is not known here. That decides where slices stand and not whether they can be had,
    /// nor whether anything is to change: it is asked only when something is begun.
    pub fn of(
        &self,
        policies: &[Arc<GpuSharingPolicy>],
        gpu_node: &GpuNode,
        node: &Node,
    ) -> Arc<Wished> {
        let (name, rules) = (gpu_node.name_any(), rules(policies));
        let holds = |known: &&Known| known.basis.still_holds(&rules, gpu_node, node);
        if let Some(known) = self.lock().get(&name).filter(holds) {
            return known.wished.clone();
        }
        // Planned without the lock: two controllers may do the same work once, and none waits.
        let basis = Basis::of(rules, gpu_node, node);
        let nobody = BTreeSet::new();
        let wished = Wished::plan(policies, gpu_node, node, &basis.neighbours, &nobody);
        let wished = Arc::new(wished);
        let known = Known {
            basis,
            wished: wished.clone(),
        };
        self.lock().insert(name, known);
        wished
    }

    /// The node is gone.
    pub fn forget(&self, node: &str) {
        self.lock().remove(node);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Known>> {
        self.by_node.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn gpus(gpu_node: &GpuNode) -> &[GpuStatus] {
    let status = gpu_node.status.as_ref();
    let agent = status.and_then(|status| status.agent.as_ref());
    agent.map_or(&[], |agent| agent.gpus.as_slice())
}

/// All policies, in an order of their own: the cache has none.
fn rules(policies: &[Arc<GpuSharingPolicy>]) -> Vec<Rules> {
    let rules = policies.iter().map(|policy| Rules {
        uid: policy.uid(),
        generation: policy.metadata.generation,
        is_deleted: policy.metadata.deletion_timestamp.is_some(),
    });
    let mut rules: Vec<_> = rules.collect();
    rules.sort();
    rules
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::fake::read;

    fn policy(generation: i64) -> Arc<GpuSharingPolicy> {
        Arc::new(read(json!({
            "apiVersion": "gpusharing.dev/v1alpha1", "kind": "GpuSharingPolicy",
            "metadata": {"name": "p", "uid": "u", "generation": generation},
            "spec": {"strategy": {"type": "Exclusive"}, "nodeSelector": {"matchLabels": {"pool": "a"}}},
        })))
    }

    fn node(pool: &str) -> Node {
        read(json!({"metadata": {"name": "n1", "labels": {"pool": pool}}}))
    }

    fn gpu_node(uuids: &[&str], phase: &str) -> GpuNode {
        let gpu = |uuid: &&str| {
            json!({
                "index": 0, "uuid": uuid, "product": "Tesla T4", "memoryMiB": 15360,
                "mig": {"current": "NotSupported", "pending": "NotSupported"},
            })
        };
        let gpus: Vec<Value> = uuids.iter().map(gpu).collect();
        read(json!({
            "apiVersion": "gpusharing.dev/v1alpha1", "kind": "GpuNode",
            "metadata": {"name": "n1", "uid": "g"}, "spec": {},
            "status": {"agent": {"bootId": "b", "gpus": gpus}, "maintenance": {"phase": phase}},
        }))
    }

    #[test]
    fn a_plan_is_made_anew_only_when_what_it_depends_on_has_changed() {
        let before = (policy(1), gpu_node(&["GPU-1"], "Pending"), node("a"));
        for (changed, after) in [
            (
                false,
                (policy(1), gpu_node(&["GPU-1"], "InSync"), node("a")),
            ),
            (
                true,
                (policy(2), gpu_node(&["GPU-1"], "Pending"), node("a")),
            ),
            (
                true,
                (policy(1), gpu_node(&["GPU-2"], "Pending"), node("a")),
            ),
            (
                true,
                (policy(1), gpu_node(&["GPU-1"], "Pending"), node("b")),
            ),
        ] {
            let wishes = Wishes::default();
            let of = |(policy, gpu_node, node): &(Arc<GpuSharingPolicy>, GpuNode, Node)| {
                wishes.of(std::slice::from_ref(policy), gpu_node, node)
            };
            let (old, new) = (of(&before), of(&after));
            assert_eq!(!Arc::ptr_eq(&old, &new), changed, "{after:?}");
        }
    }
}
