//! A policy's nodes as the caches show them.

use std::sync::Arc;

use crds::gpu_node::{MaintenanceStatus, Phase};
use crds::{GpuNode, GpuSharingPolicy};
use k8s_openapi::api::core::v1::Node;
use kube::ResourceExt;
use plan::admission::{NodeSummary, Why};
use plan::conditions;
use plan::node::NodeView;
use plan::resolve::{Problem, Wish};

use crate::caches::Caches;
use crate::wishes::{Wished, Wishes};

/// The nodes that the policy wins, and those that only hold one of its slots.
pub fn of(caches: &Caches, wishes: &Wishes, policy: &GpuSharingPolicy) -> Vec<NodeSummary> {
    let policies = caches.policies.all();
    let summary = |gpu_node: Arc<GpuNode>| {
        let node = caches.nodes.get(&gpu_node.name_any())?;
        let planned = wishes.of(&policies, &gpu_node, &node);
        let won = planned.policy.as_deref() == policy.metadata.name.as_deref();
        (won || holds_slot(policy, &node)).then(|| {
            let key = policy.spec.maintenance.topology_key.as_deref();
            let problem = problem(&planned).filter(|_| won);
            summary(&gpu_node, &node, key, won, problem)
        })
    };
    let gpu_nodes = caches.gpu_nodes.all().into_iter();
    gpu_nodes.filter_map(summary).collect()
}

fn holds_slot(policy: &GpuSharingPolicy, node: &Node) -> bool {
    let slots = policy.status.as_ref().map(|status| status.slots.as_slice());
    let mut slots = slots.unwrap_or_default().iter();
    slots.any(|slot| Some(&slot.node) == node.metadata.name.as_ref())
}

fn problem(wished: &Wished) -> Option<Problem> {
    match &wished.wish {
        Wish::Refused { problem, .. } => Some(problem.clone()),
        Wish::Unmanaged | Wish::Goal(_) => None,
    }
}

fn summary(
    gpu_node: &GpuNode,
    node: &Node,
    topology_key: Option<&str>,
    won: bool,
    problem: Option<Problem>,
) -> NodeSummary {
    let (view, status) = (NodeView::of(node), gpu_node.status.as_ref());
    let maintenance = status.and_then(|status| status.maintenance.clone());
    let maintenance = maintenance.unwrap_or_default();
    let agent = status.and_then(|status| status.agent.as_ref());
    let gpus = agent.map_or(0, |agent| agent.gpus.len());
    let history = maintenance.history.iter();
    NodeSummary {
        won,
        problem,
        topology: topology_key.and_then(|key| node.labels().get(key).cloned()),
        unavailable: view.unschedulable || !view.ready,
        gpus: i32::try_from(gpus).unwrap_or(i32::MAX),
        phase: maintenance.phase,
        waiting: waiting(&maintenance),
        operation_id: maintenance.operation_id,
        attempts: maintenance.attempts,
        pending_since: (maintenance.phase == Phase::Pending)
            .then(|| Some(maintenance.phase_since.as_ref()?.0))
            .flatten(),
        history: history
            .map(|entry| (entry.finished_at.0, entry.result))
            .collect(),
        name: view.name,
        uid: view.uid,
    }
}

fn waiting(maintenance: &MaintenanceStatus) -> Option<Why> {
    let pending = conditions::find(&maintenance.conditions, "MaintenancePending")?;
    (pending.status == "True").then(|| Why {
        reason: pending.reason.clone(),
        message: pending.message.clone(),
    })
}
