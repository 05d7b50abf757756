//! The GPUs are in a state that a person must look at, or a person must decide about a drain; the node stays cordoned.

use crds::gpu_node::{AgentStage, ChangeClass, OperationResult, OperationStage, Outcome, Target};

use super::super::PolicyView;
use super::super::publication;
use super::super::settled;
use super::super::turn::Turn;
use super::{give_up, guards, outcome, retarget, rolling_back, validating};
use crate::change;
use crate::plugin_config;
use crate::reason::Reason;
use crate::resolve::{Goal, Wish};

pub(super) fn look(turn: &mut Turn) {
    if stops_late_go_ahead(turn) || tries_again(turn) {
        return;
    }
    let outcome = turn.status.outcome.as_ref().map(|outcome| outcome.result);
    let is_untouched = outcome == Some(OperationResult::Failed) && !super::has_begun(turn);
    if is_untouched {
        released_by_hand(turn);
    } else {
        recovers(turn);
    }
}

/// An agent that has not begun by now must not begin later.
fn stops_late_go_ahead(turn: &mut Turn) -> bool {
    let is_asked = turn
        .asked()
        .is_some_and(|asked| asked.stage == OperationStage::Proceed);
    if !is_asked || super::has_begun(turn) {
        return false;
    }
    turn.ask_for(OperationStage::Abort);
    true
}

/// A person asks for it, or the policy asks for something else by now.
fn tries_again(turn: &mut Turn) -> bool {
    let Some((policy, goal)) = wanted(turn) else {
        return false;
    };
    let is_told = turn.node.retry != turn.status.retry_seen;
    let is_changed = turn.seen.spec.policy.as_ref() != Some(&goal.policy)
        && !guards::is_alike(&turn.target(), &goal.target);
    if !(is_told || is_changed) || settled::is_held_back(turn, policy, goal) {
        return false;
    }
    turn.status.retry_seen.clone_from(&turn.node.retry);
    let why = turn.status.outcome.clone().unwrap_or_else(|| {
        outcome(
            OperationResult::Quarantined,
            Reason::Quarantined,
            "the GPUs were in an unknown state",
        )
    });
    retarget::succeed(turn, why, policy, goal);
    true
}

fn wanted<'a>(turn: &Turn<'a>) -> Option<(&'a PolicyView<'a>, &'a Goal)> {
    let policy = turn.seen.policy?;
    match turn.seen.wish {
        Wish::Goal(goal) if goal.change.class > ChangeClass::ConfigOnly => Some((policy, goal)),
        Wish::Goal(_) | Wish::Unmanaged | Wish::Refused { .. } => None,
    }
}

fn released_by_hand(turn: &mut Turn) {
    if let Some(why) = release(turn) {
        give_up(turn, why);
    }
}

/// The GPUs are as they were and only the cordon is kept: an uncordon, or no wish for the change, ends it; and an MPS
/// daemon that serves again.
pub(super) fn release(turn: &Turn) -> Option<Outcome> {
    guards::cordon_lost(turn)
        .or_else(|| guards::unwanted(turn))
        .or_else(|| serves_again(turn))
}

fn serves_again(turn: &Turn) -> Option<Outcome> {
    let outcome = turn.status.outcome.as_ref()?;
    let verified = turn.status.verified.as_ref()?;
    let is_back = outcome.reason == Reason::MpsCrashLooping.as_str()
        && change::is_reached(turn.gpus(), verified).is_ok();
    is_back.then(|| {
        let message = "the MPS daemon serves again";
        super::outcome(OperationResult::Released, Reason::MpsServing, message)
    })
}

/// The GPUs are seen to be as the target says, or as they were before.
fn recovers(turn: &mut Turn) {
    let Some((target, outcome)) = in_order(turn) else {
        return;
    };
    let chosen = turn.status.plugin_config.as_ref();
    let told = chosen.map(|chosen| chosen.key.clone()).filter(|key| {
        plugin_config::holds(&target, key) && turn.node.plugin_config.as_ref() == Some(key)
    });
    if let Some(key) = told {
        // A person who makes the plugin anew must find it there.
        publication::publish(turn, &target, &key);
        if validating::is_valid(turn, &target).is_err() {
            return;
        }
    } else {
        validating::choose(turn, &target);
    }
    turn.status.outcome = outcome;
    validating::enter(turn);
}

/// What the agent says of this operation or, where this one was given up before the agent was asked for it, of the one that it
/// was asked for last.
fn latest_answer(turn: &Turn) -> Option<AgentStage> {
    let asked = turn.seen.spec.operation.as_ref();
    let asked = asked.map_or(turn.status.operation_id, |asked| asked.id);
    let answer = turn.seen.agent?.operation.as_ref()?;
    let is_about_it = [turn.status.operation_id, asked].contains(&answer.id);
    is_about_it.then_some(answer.stage)
}

/// What the GPUs are, if that is a state to go on from. An agent that is in the middle of something, or has not been
/// heard about this operation at all, may be reporting how the GPUs were before.
fn in_order(turn: &Turn) -> Option<(Target, Option<Outcome>)> {
    let stage = latest_answer(turn)?;
    match stage {
        AgentStage::Destroying | AgentStage::Creating => return None,
        AgentStage::Ready
        | AgentStage::Refused
        | AgentStage::Done
        | AgentStage::RolledBack
        | AgentStage::Failed => {}
    }
    let is_reached = |target: &Target| {
        !target.gpus.is_empty() && change::is_reached(turn.gpus(), target).is_ok()
    };
    let target = turn.target();
    if is_reached(&target) {
        return Some((target, None));
    }
    let message = "the layout from before is back";
    let back = outcome(OperationResult::RolledBack, Reason::RolledBack, message);
    let is_rolled_back = stage == AgentStage::RolledBack;
    let before = rolling_back::before(turn);
    (is_rolled_back || turn.status.verified.as_ref().is_some_and(is_reached))
        .then_some((before, Some(back)))
}
