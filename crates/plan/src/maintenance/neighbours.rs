//! Living beside NVIDIA's own managers: what they must have finished before anything is begun, and nodes that are taken from
//! its MIG Manager and given back.
//!
//! A node is taken by one patch that sets MIG Manager's deploy label to `false` and remembers on the node what it was, and
//! given back by one that puts that back and withdraws what the node promises to pods. Nothing else of the node is changed
//! before the first, or after the second.

use std::collections::BTreeMap;

use crds::gpu_node::Phase;
use crds::names::{ANNOTATION_MIG_MANAGER, LABEL_MIG_MANAGER};

use super::turn::Turn;
use super::waiting::{Wait, Waiting};
use super::{Effect, Event, EventKind, clients};
use crate::guarantees;
use crate::neighbours::MigManager;
use crate::node::NodeView;
use crate::reason::Reason;
use crate::resolve::{Goal, Wish, concerns_mig};

/// What of NVIDIA's is under way on the node, or stands in the way of this goal. It only keeps a change from beginning.
pub(super) fn gate(turn: &Turn, goal: &Goal) -> Option<Wait> {
    driver_upgrade(turn).or_else(|| mig_manager(turn).filter(|_| goal.concerns_mig(turn.gpus())))
}

/// Who has come to work on the GPUs since the operation was admitted: they go first, as long as nothing is destroyed.
pub(super) fn comes_first(turn: &Turn) -> Option<Wait> {
    let manager = turn.node.neighbours.objection();
    let manager = manager.map(|problem| {
        let sentence = format!("the node to be one manager's only: {}", problem.message);
        Wait::new(Waiting::ForeignManager, sentence)
    });
    let goal = match turn.seen.wish {
        Wish::Goal(goal) => Some(goal),
        Wish::Refused { .. } | Wish::Unmanaged => None,
    };
    let concerns_mig = goal.is_some_and(|goal| goal.concerns_mig(turn.gpus()))
        || concerns_mig(&turn.target(), turn.gpus());
    driver_upgrade(turn)
        .or(manager)
        .or_else(|| mig_manager(turn).filter(|_| concerns_mig))
}

/// A driver upgrade is under way, or has failed.
pub(super) fn driver_upgrade(turn: &Turn) -> Option<Wait> {
    let sentence = turn.node.neighbours.driver_upgrade()?;
    Some(Wait::new(Waiting::DriverUpgrade, sentence))
}

/// MIG Manager has the node, or is about to leave it.
fn mig_manager(turn: &Turn) -> Option<Wait> {
    let sentence = match &turn.node.neighbours.mig_manager {
        MigManager::Acts {
            is_busy: true,
            evidence,
            ..
        } => format!(
            "NVIDIA's MIG Manager to finish what it is doing to the GPUs ({evidence}); then the node is taken from it"
        ),
        MigManager::Acts { .. }
        | MigManager::TakenOver {
            is_intact: false, ..
        } => format!(
            "the node to be taken from NVIDIA's MIG Manager (label {LABEL_MIG_MANAGER}=false); then the change begins"
        ),
        MigManager::KeptAway | MigManager::TakenOver { .. } => {
            let mut pods = turn.seen.pods.iter();
            let pod = pods.find(|pod| MigManager::is_pod(&pod.labels) && !pod.finished)?;
            format!(
                "pod {} of NVIDIA's MIG Manager to end, which is kept away from the node; then the change begins",
                pod.name()
            )
        }
        MigManager::Away => return None,
    };
    Some(Wait::new(Waiting::ForeignManager, sentence))
}

/// Takes the node from MIG Manager where the goal has to do with MIG. Without the policy's word there is no such goal. One
/// that is in the middle of a change finishes it first.
pub(super) fn take_over(turn: &mut Turn, goal: &Goal) {
    let before = match &turn.node.neighbours.mig_manager {
        MigManager::Acts {
            deployed,
            is_busy: false,
            ..
        } => deployed.clone(),
        MigManager::TakenOver {
            before,
            is_intact: false,
        } => before.clone(),
        MigManager::Acts { .. }
        | MigManager::TakenOver { .. }
        | MigManager::KeptAway
        | MigManager::Away => return,
    };
    if !goal.concerns_mig(turn.gpus()) {
        return;
    }
    turn.effect(Effect::Remember {
        labels: one(LABEL_MIG_MANAGER, Some("false".to_owned())),
        annotations: one(ANNOTATION_MIG_MANAGER, Some(before.unwrap_or_default())),
    });
    turn.tell(
        Reason::NodeTakenOver,
        format!(
            "the node was taken from NVIDIA's MIG Manager, as policy {} says",
            goal.policy.name
        ),
    );
}

/// Gives the node back to MIG Manager when no policy in force takes nodes over here, once it has settled; whether that is
/// all that this look does.
pub(super) fn gives_back(turn: &mut Turn) -> bool {
    let keeps = match turn.seen.wish {
        Wish::Unmanaged => false,
        Wish::Refused { .. } | Wish::Goal(_) => {
            turn.seen.policy.is_none_or(|policy| policy.spec.take_over)
        }
    };
    let settled = [Phase::Unmanaged, Phase::InSync, Phase::Pending];
    if keeps || !settled.contains(&turn.status.phase) {
        return false;
    }
    let Some((effect, event)) = to_mig_manager(turn.node) else {
        return false;
    };
    turn.effect(effect);
    turn.tell(event.reason, event.message);
    true
}

/// What gives NVIDIA's stack back what it had on a node, one thing at a time: GPU clients run again; then the node is MIG
/// Manager's again, if it was taken from it: its deploy label is as it was, unless somebody has changed it since.
pub(super) fn hand_back(node: &NodeView) -> Option<(Effect, Event)> {
    clients::resume(node).or_else(|| to_mig_manager(node))
}

fn to_mig_manager(node: &NodeView) -> Option<(Effect, Event)> {
    let MigManager::TakenOver { before, is_intact } = &node.neighbours.mig_manager else {
        return None;
    };
    // It may divide the GPUs as it likes from now on. A node that a policy still wants promises anew what is so.
    let mut labels = guarantees::withdrawn(&node.guarantees);
    if *is_intact {
        labels.extend(one(LABEL_MIG_MANAGER, before.clone()));
    }
    let effect = Effect::Remember {
        labels,
        annotations: one(ANNOTATION_MIG_MANAGER, None),
    };
    let event = Event {
        reason: Reason::NodeGivenBack,
        kind: EventKind::Normal,
        message: "the node was given back to NVIDIA's MIG Manager".to_owned(),
    };
    Some((effect, event))
}

fn one(key: &str, value: Option<String>) -> BTreeMap<String, Option<String>> {
    BTreeMap::from([(key.to_owned(), value)])
}
