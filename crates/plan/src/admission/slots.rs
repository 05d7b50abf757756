//! Which slots are over, and who gets one.

use std::collections::BTreeSet;

use crds::gpu_node::Phase;
use crds::policy::Slot;
use crds::{GpuSharingPolicy, NodeCount};
use jiff::Timestamp;

use super::{NodeSummary, canary};
use crate::conditions::seconds;
use crate::maintenance::Waiting;
use crate::windows::{WindowState, need};

/// The slots that are not over. One is over when its node is gone, or was made anew; when the node has settled under the
/// slot's operation; or when another policy wins the node and the operation has not begun.
pub(super) fn kept(slots: &[Slot], nodes: &[&NodeSummary]) -> Vec<Slot> {
    let lasts = |slot: &&Slot| {
        let same = |node: &&&NodeSummary| node.name == slot.node && node.uid == slot.uid;
        nodes.iter().find(same).is_some_and(|node| {
            let taken_up = node.operation_id >= slot.operation;
            node.is_in_flight() || (node.won && !taken_up)
        })
    };
    slots.iter().filter(lasts).cloned().collect()
}

/// Grants slots to nodes that wait for nothing else, as far as window and budget allow: the fewest failed attempts first,
/// then the longest wait, then by name.
pub(super) fn grant(
    policy: &GpuSharingPolicy,
    nodes: &[&NodeSummary],
    window: &WindowState,
    slots: &mut Vec<Slot>,
    now: Timestamp,
) {
    let spec = &policy.spec;
    let closed = window.admits(now, need(&spec.maintenance)).is_err();
    if spec.paused || spec.dry_run || closed {
        return;
    }
    let matched = nodes.iter().filter(|node| node.won).count();
    let limit = limit(&spec.maintenance.max_unavailable, matched);
    let mut candidates: Vec<_> = nodes.iter().filter(|node| waits(node, slots)).collect();
    candidates.sort_by_key(|node| (node.attempts, node.pending_since, &node.name));
    for node in candidates {
        if fits(node, nodes, slots, limit)
            && is_in_turn(spec.maintenance.topology_key.is_some(), node, nodes, slots)
            && canary::admits(policy, node, nodes, slots, now)
        {
            slots.push(slot(node, now));
        }
    }
    slots.sort_by(|one, other| one.node.cmp(&other.node));
}

/// Whether a slot is all that the node waits for.
fn waits(node: &NodeSummary, slots: &[Slot]) -> bool {
    let wants =
        [Waiting::AwaitingSlot, Waiting::WindowClosed].map(|waiting| waiting.reason().as_str());
    let waiting = node.waiting.as_ref();
    node.won
        && node.phase == Phase::Pending
        && waiting.is_some_and(|waiting| wants.contains(&waiting.reason.as_str()))
        && !slots.iter().any(|slot| slot.node == node.name)
}

/// Whether no more nodes than the limit are out of service if this one is too. Each node counts once, whatever the
/// reason.
fn fits(node: &NodeSummary, nodes: &[&NodeSummary], slots: &[Slot], limit: usize) -> bool {
    let mut out: BTreeSet<_> = slots.iter().map(|slot| slot.node.as_str()).collect();
    let others = nodes
        .iter()
        .filter(|node| node.unavailable || node.is_in_flight());
    out.extend(others.map(|node| node.name.as_str()));
    out.insert(&node.name);
    out.len() <= limit
}

/// Whether every node out of service because of us has the same value of the topology label.
fn is_in_turn(
    by_topology: bool,
    node: &NodeSummary,
    nodes: &[&NodeSummary],
    slots: &[Slot],
) -> bool {
    let busy = |other: &&&NodeSummary| {
        other.is_in_flight() || slots.iter().any(|slot| slot.node == other.name)
    };
    !by_topology
        || nodes
            .iter()
            .filter(busy)
            .all(|other| other.topology == node.topology)
}

/// How many of so many matched nodes may be out of service. A percentage rounds down, but to no less than one unless it
/// is 0 %.
pub fn limit(count: &NodeCount, matched: usize) -> usize {
    match count {
        NodeCount::Number(number) => usize::try_from(*number).unwrap_or(0),
        NodeCount::Percent(text) => {
            let percent: usize = text.trim_end_matches('%').parse().unwrap_or(0);
            (matched * percent / 100).max(usize::from(percent > 0))
        }
    }
}

/// Whether this admits nobody, however many nodes there are.
pub fn is_frozen(count: &NodeCount) -> bool {
    limit(count, 1) == 0
}

fn slot(node: &NodeSummary, now: Timestamp) -> Slot {
    Slot {
        node: node.name.clone(),
        uid: node.uid.clone(),
        operation: now.as_second().max(node.operation_id.saturating_add(1)),
        since: seconds(now),
    }
}
