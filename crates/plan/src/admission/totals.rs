//! Numbers of nodes and GPUs, and why nodes wait.

use std::collections::BTreeMap;

use crds::gpu_node::Phase;
use crds::policy::{GpuTotals, NodeTotals, WaitingNodes};

use super::NodeSummary;

/// So many nodes are named per reason.
const NAMED: usize = 10;

pub(super) fn nodes(nodes: &[&NodeSummary]) -> NodeTotals {
    let mut totals = NodeTotals::default();
    for node in nodes.iter().filter(|node| node.won) {
        totals.matched += 1;
        match node.phase {
            Phase::Unmanaged => {}
            Phase::InSync => totals.in_sync += 1,
            Phase::Pending => totals.pending += 1,
            Phase::Quarantined => totals.quarantined += 1,
            Phase::Preparing
            | Phase::Cordoning
            | Phase::WaitingJobs
            | Phase::Draining
            | Phase::Repartitioning
            | Phase::RollingBack
            | Phase::Validating
            | Phase::Uncordoning
            | Phase::Releasing => totals.in_maintenance += 1,
        }
    }
    totals
}

pub(super) fn gpus(nodes: &[&NodeSummary]) -> GpuTotals {
    let won = nodes.iter().filter(|node| node.won);
    let in_sync = won.clone().filter(|node| node.phase == Phase::InSync);
    GpuTotals {
        total: won.map(|node| node.gpus).sum(),
        in_sync: in_sync.map(|node| node.gpus).sum(),
    }
}

/// One entry per reason, by reason; the sentence is that of the first node by name.
pub(super) fn waiting(nodes: &[&NodeSummary]) -> Vec<WaitingNodes> {
    let mut reasons: BTreeMap<&str, WaitingNodes> = BTreeMap::new();
    for node in nodes.iter().filter(|node| node.won) {
        let Some(waiting) = &node.waiting else {
            continue;
        };
        let entry = reasons
            .entry(&waiting.reason)
            .or_insert_with(|| WaitingNodes {
                reason: waiting.reason.clone(),
                message: waiting.message.clone(),
                count: 0,
                nodes: Vec::new(),
            });
        entry.count += 1;
        if entry.nodes.len() < NAMED {
            entry.nodes.push(node.name.clone());
        }
    }
    reasons.into_values().collect()
}
