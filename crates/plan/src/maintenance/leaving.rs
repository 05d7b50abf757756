//! The operator is being uninstalled: what is left of it on a node, and what no operation will take off it any more.

use std::collections::BTreeMap;

use crds::gpu_node::Phase;

use super::neighbours::hand_back;
use super::{Effect, Event, EventKind};
use crate::node::NodeView;
use crate::reason::Reason;

/// What is left to do about a node before the operator may go.
#[derive(Clone, Debug, PartialEq)]
pub enum Leaving {
    /// Nothing: no marker, no promise to pods, no operation.
    Done,
    /// Its own steps are giving it back.
    UnderWay,
    /// Nobody else will unmark it.
    LetGo(Effect, Event),
}

/// What is left to do about a node before the operator may go. `phase`: of its `GpuNode`, if there is one. Call it while no
/// policy is in force any more, so that the node's steps begin nothing and undo what can be undone.
///
/// A node that a person holds, or whose GPUs a person must look at, stays cordoned: only the marker goes.
pub fn leaving(node: &NodeView, phase: Option<Phase>) -> Leaving {
    match phase {
        Some(Phase::Quarantined) => {
            let_go(node, "its GPUs are in a state that a person must look at")
        }
        Some(Phase::Uncordoning | Phase::Releasing) if node.hold && node.operation.is_some() => {
            let_go(node, "a person holds it")
        }
        Some(
            Phase::Preparing
            | Phase::Cordoning
            | Phase::WaitingJobs
            | Phase::Draining
            | Phase::Repartitioning
            | Phase::RollingBack
            | Phase::Validating
            | Phase::Uncordoning
            | Phase::Releasing,
        ) => Leaving::UnderWay,
        Some(Phase::Unmanaged | Phase::InSync | Phase::Pending) | None => settled(node),
    }
}

/// Marker and promises are taken off by the node's own steps, or by the orphan sweep, unless a person holds it.
fn settled(node: &NodeView) -> Leaving {
    if node.operation.is_some() && node.hold {
        let_go(node, "a person holds it")
    } else if node.operation.is_some() || !node.guarantees.is_empty() || hand_back(node).is_some() {
        Leaving::UnderWay
    } else {
        Leaving::Done
    }
}

fn let_go(node: &NodeView, why: &str) -> Leaving {
    if node.operation.is_none() {
        return hand_back(node).map_or(Leaving::Done, |(effect, event)| {
            Leaving::LetGo(effect, event)
        });
    }
    let event = Event {
        reason: Reason::LeftCordoned,
        kind: EventKind::Warning,
        message: format!(
            "the operator is being uninstalled: the node is unmarked and stays as it is, because {why}"
        ),
    };
    let effect = Effect::Uncordon {
        schedulable: false,
        labels: BTreeMap::new(),
    };
    Leaving::LetGo(effect, event)
}
