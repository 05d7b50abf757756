//! What each node should be, planned once and kept until something changes that the plan depends on.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use crds::gpu_node::GpuStatus;
use crds::{GpuNode, GpuSharingPolicy};
use k8s_openapi::api::core::v1::Node;
use kube::ResourceExt;
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

    /// Plans for one node.
    pub fn plan(policies: &[Arc<GpuSharingPolicy>], gpu_node: &GpuNode, node: &Node) -> Self {
        let policies = policies.iter().map(|policy| &**policy);
        let (winner, wish) = resolve::wish(policies, node.labels(), gpus(gpu_node));
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
#[derive(Debug, PartialEq)]
struct Basis {
    policies: Vec<Rules>,
    labels: BTreeMap<String, String>,
    gpus: Vec<GpuStatus>,
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
    pub fn of(
        &self,
        policies: &[Arc<GpuSharingPolicy>],
        gpu_node: &GpuNode,
        node: &Node,
    ) -> Arc<Wished> {
        let name = gpu_node.name_any();
        let basis = basis(policies, gpu_node, node);
        if let Some(known) = self.lock().get(&name).filter(|known| known.basis == basis) {
            return known.wished.clone();
        }
        // Planned without the lock: two controllers may do the same work once, and none waits.
        let wished = Arc::new(Wished::plan(policies, gpu_node, node));
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

fn basis(policies: &[Arc<GpuSharingPolicy>], gpu_node: &GpuNode, node: &Node) -> Basis {
    let mut policies: Vec<_> = policies.iter().map(|policy| rules(policy)).collect();
    // The cache has no order.
    policies.sort();
    Basis {
        policies,
        labels: node.labels().clone(),
        gpus: gpus(gpu_node).to_vec(),
    }
}

fn rules(policy: &GpuSharingPolicy) -> Rules {
    Rules {
        uid: policy.uid(),
        generation: policy.metadata.generation,
        is_deleted: policy.metadata.deletion_timestamp.is_some(),
    }
}
