//! Whose cordon it is.
//!
//! The operator cordons and marks in one patch, and uncordons and unmarks in one patch. It makes a node schedulable only
//! if its marker is there, the marker remembers no earlier cordon, and nobody else has written `unschedulable` since.

use std::collections::BTreeMap;

use super::clients;
use super::neighbours::hand_back;
use super::{Effect, Event, EventKind};
use crate::node::NodeView;
use crate::reason::Reason;

/// Whether the node carries the marker of this operation.
pub(super) fn is_marked(node: &NodeView, operation: i64) -> bool {
    node.operation == Some(operation)
}

/// Whether the cordon of an operation, whichever, still stands as it was made.
pub(super) fn holds(node: &NodeView) -> bool {
    node.operation
        .is_some_and(|operation| lost(node, operation).is_none())
}

/// Whether removing the marker may also make the node schedulable.
fn may_uncordon(node: &NodeView) -> bool {
    !node.pre_cordoned && node.cordon_is_ours
}

/// The patch that takes the node for an operation. A cordon that an earlier operation of ours has left behind is not
/// somebody else's: what that one remembered is inherited.
pub(super) fn cordon(node: &NodeView, operation: i64) -> Effect {
    let is_our_own_left_behind = node.operation.is_some() && may_uncordon(node);
    Effect::Cordon {
        operation,
        pre_cordoned: node.unschedulable && !is_our_own_left_behind,
    }
}

/// The patch that gives the node back.
pub(super) fn uncordon(node: &NodeView, labels: BTreeMap<String, Option<String>>) -> Effect {
    Effect::Uncordon {
        schedulable: may_uncordon(node),
        labels,
    }
}

/// Why the cordon of an operation does not hold any more, if so: somebody has uncordoned the node, or taken the marker
/// off, or cordoned it anew for their own reasons.
pub(super) fn lost(node: &NodeView, operation: i64) -> Option<&'static str> {
    if !is_marked(node, operation) {
        Some("the mark of this operation was taken off the node")
    } else if !node.unschedulable {
        Some("somebody uncordoned the node")
    } else if !node.pre_cordoned && !node.cordon_is_ours {
        Some("somebody else has cordoned the node meanwhile")
    } else {
        None
    }
}

/// What to do next about a node without a `GpuNode`, one thing at a time: nobody else would ever give back what the operator
/// has taken of it. Pods come only when NVIDIA's programs run again; MIG Manager comes last.
pub fn orphaned(node: &NodeView) -> Option<(Effect, Event)> {
    clients::resume(node)
        .or_else(|| release_orphan(node))
        .or_else(|| hand_back(node))
}

/// What to do about a node that carries the marker of an operation that is not under way: nobody would ever give it
/// back otherwise. A node that a person holds is left as it is.
pub(super) fn release_orphan(node: &NodeView) -> Option<(Effect, Event)> {
    let operation = node.operation.filter(|_| !node.hold)?;
    let schedulable = may_uncordon(node);
    let rest = if schedulable {
        "uncordoned"
    } else {
        "left cordoned: the cordon is somebody else's"
    };
    let event = Event {
        reason: Reason::OrphanCordonReleased,
        kind: EventKind::Warning,
        message: format!(
            "the node was marked by operation {operation}, which is not under way: unmarked and {rest}"
        ),
    };
    Some((uncordon(node, BTreeMap::new()), event))
}
