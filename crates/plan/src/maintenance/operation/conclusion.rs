//! The node is given back: after a success or a rollback (`Uncordoning`), or with nothing changed (`Releasing`).

use std::collections::BTreeMap;

use crds::gpu_node::{AgentStage, OperationResult, OperationStage, Phase};

use super::super::turn::Turn;
use super::super::{ownership, settled};
use super::{history, outcome, repartitioning};
use crate::change;
use crate::conditions;
use crate::guarantees;
use crate::reason::Reason;

/// Enters phase `Uncordoning`.
pub(super) fn uncordon(turn: &mut Turn) {
    turn.enter(Phase::Uncordoning, Some(turn.limits.cordon));
    turn.wait_for(sentence(turn));
    keep_time(turn, turn.node.hold && turn.node.operation.is_some());
}

/// What is waited for, until when, and what happens then.
pub(super) fn sentence(turn: &Turn) -> String {
    let why = turn.status.outcome.as_ref();
    let why = why.map_or_else(String::new, |why| format!(", because {}", why.message));
    format!(
        "the node to be given back until {}; then it is told that it was not, and is tried again{why}",
        turn.deadline()
    )
}

/// Phases `Uncordoning` and `Releasing`.
pub(super) fn look(turn: &mut Turn) {
    let is_releasing = turn.status.phase == Phase::Releasing;
    if is_releasing && super::has_begun(turn) {
        return repartitioning::enter(turn);
    }
    let is_marked = turn.node.operation.is_some();
    let is_held = is_marked && turn.node.hold;
    keep_time(turn, is_held);
    let may_begin = is_releasing || has_forgotten(turn);
    if may_begin && abort(turn) || is_held || super::is_busy(turn) {
        return;
    }
    if is_marked {
        return give_back(turn);
    }
    // Of an operation before this one as well: it would be taken for one that nobody knows.
    if turn.seen.spec.operation.is_some() {
        return turn.ask_for_nothing();
    }
    finish(turn);
}

/// Whether the agent says that it is ready for what it has done: it may take the go-ahead that still stands for a new one.
fn has_forgotten(turn: &Turn) -> bool {
    turn.answer()
        .is_some_and(|answer| answer.stage == AgentStage::Ready)
}

/// The agent must know that it may not begin before the node is given back. The same compare-and-swap decides who wins.
fn abort(turn: &mut Turn) -> bool {
    let Some(asked) = turn.asked() else {
        return false;
    };
    if asked.stage == OperationStage::Abort {
        return false;
    }
    turn.ask_for(OperationStage::Abort);
    true
}

fn give_back(turn: &mut Turn) {
    let labels = promises(turn);
    turn.effect(ownership::uncordon(turn.node, labels));
}

/// A person wants the node to stay as it is: there is no deadline to that. Otherwise it is given back for as long as it
/// takes, and every deadline that passes is told.
fn keep_time(turn: &mut Turn, is_held: bool) {
    let key = crds::names::ANNOTATION_HOLD;
    if is_held {
        turn.status.deadline = None;
        turn.wait_for(format!(
            "a person to take annotation {key} off the node; then it is uncordoned"
        ));
    } else if turn.status.deadline.is_none() || turn.is_overdue() {
        if turn.is_overdue() {
            turn.warn(
                Reason::MaintenanceDeferred,
                "the node could not be given back yet; it is tried again",
            );
        }
        turn.status.deadline = Some(conditions::seconds(turn.after(turn.limits.cordon)));
        turn.wait_for(sentence(turn));
    }
}

/// What the node promises from now on: what it was last verified to be, if it is that.
fn promises(turn: &Turn) -> BTreeMap<String, Option<String>> {
    let policy = turn
        .status
        .snapshot
        .as_ref()
        .map_or("", |snapshot| snapshot.policy.as_str());
    let verified = turn.status.verified.as_ref();
    verified
        .filter(|target| change::is_reached(turn.gpus(), target).is_ok())
        .map(|target| guarantees::labels(target, policy))
        .into_iter()
        .flatten()
        .map(|(label, value)| (label, Some(value)))
        .collect()
}

fn finish(turn: &mut Turn) {
    let why = turn.status.outcome.take().unwrap_or_else(|| {
        outcome(
            OperationResult::Succeeded,
            Reason::Succeeded,
            "the GPUs are as the policy says, and the node advertises them",
        )
    });
    turn.account();
    history::count(turn, why.result);
    history::enter(turn, why);
    turn.status.snapshot = None;
    turn.status.plan = None;
    settled::look(turn);
}
