//! Nodes on which no operation is under way: is a change wanted, and what does it wait for?

mod admit;
mod adopt;
mod config_only;
mod crash_loop;
mod drift;
mod gates;
mod unmanaged;

pub(super) use admit::admit_again;
pub(super) use config_only::{config_only, words};

use crds::gpu_node::{Phase, PolicyReference};
use crds::policy::DrainSettings;
use jiff::Timestamp;

use super::turn::Turn;
use super::waiting::{Wait, Waiting};
use super::{Effect, PolicyView, neighbours, operation, ownership, promises, publication, survey};
use crate::conditions::{self, Verdict};
use crate::reason::Reason;
use crate::resolve::{Goal, Problem, Wish};
use crate::windows;

/// Phases `Unmanaged`, `InSync` and `Pending`.
pub(super) fn look(turn: &mut Turn) {
    if cleans_up(turn) {
        return;
    }
    learn_the_latest(turn);
    if neighbours::gives_back(turn) {
        return;
    }
    gates::forget_old_failures(turn);
    if admit::takes_slot(turn) {
        return;
    }
    match turn.seen.wish {
        Wish::Unmanaged => unmanaged::leave_alone(turn),
        Wish::Refused { policy, problem } => {
            turn.status.plan = None;
            let wait = gates::agent(turn).unwrap_or_else(|| refused(policy, problem));
            pend(turn, wait);
        }
        Wish::Goal(goal) => strive(turn, goal),
    }
}

/// Whether people, the window, or what is left of it, or others who work on the GPUs keep a change from starting now.
pub(super) fn is_held_back(turn: &Turn, policy: &PolicyView, goal: &Goal) -> bool {
    let need = windows::need(&policy.spec.maintenance);
    policy.window.admits(turn.now, need).is_err()
        || gates::person(turn, goal).is_some()
        || neighbours::gate(turn, goal).is_some()
        || gates::agent(turn).is_some()
}

/// What an operation has left behind whose end the status does not know.
fn cleans_up(turn: &mut Turn) -> bool {
    if adopt::takes_up(turn) {
        return true;
    }
    if turn.seen.spec.operation.is_some() {
        turn.ask_for_nothing();
        return true;
    }
    // Nobody knows yet whether an agent that has not reported changes the GPUs.
    if turn.seen.agent.is_none() || operation::is_busy(turn) {
        return false;
    }
    if let Some((effect, event)) = ownership::release_orphan(turn.node) {
        turn.effect(effect);
        turn.warn(event.reason, event.message);
        return true;
    }
    false
}

/// Ids only grow: an operation that the agent has had is not begun again, although somebody has taken from us what we
/// knew of it. An id that no clock can have given was never one of ours, and would leave none for the next operation.
fn learn_the_latest(turn: &mut Turn) {
    let said = turn.seen.agent.and_then(|agent| agent.operation.as_ref());
    let latest = said.map_or(0, |operation| operation.id);
    if latest <= Timestamp::MAX.as_second() {
        turn.status.operation_id = turn.status.operation_id.max(latest);
    }
}

fn refused(policy: &PolicyReference, problem: &Problem) -> Wait {
    let (name, what) = (&policy.name, &problem.message);
    let message = if problem.reason.is_of_the_node() {
        format!("what is in the way of policy {name} on this node: {what}")
    } else {
        format!(
            "policy {name} to be corrected, nothing is changed on any of its nodes until then: {problem}"
        )
    };
    Wait::new(Waiting::because_of(problem.reason), message)
}

fn strive(turn: &mut Turn, goal: &Goal) {
    turn.status.strategy = Some(goal.strategy.clone());
    if let Some(wait) = gates::agent(turn) {
        return pend(turn, wait);
    }
    if crash_loop::quarantines(turn, goal) {
        return;
    }
    if gates::person(turn, goal).is_none() {
        neighbours::take_over(turn, goal);
    }
    if drift::is_disturbing(turn, goal) {
        publication::ahead_of(turn, goal);
        let default = DrainSettings::default();
        let policy = turn
            .seen
            .policy
            .map(|policy| &policy.spec.maintenance.drain);
        let (settings, affected) = (policy.unwrap_or(&default), &goal.change.affected);
        let assessment = survey::assess(turn.seen, turn.limits, turn.now, settings, affected);
        turn.status.plan = Some(survey::plan(&goal.change, &assessment));
        promises::tell(turn, &assessment);
        let wait = gates::first(turn, goal, &assessment);
        pend(turn, wait.and_empty(&goal.change.emptied));
    } else if !drift::exists(turn, goal) {
        in_sync(turn, goal);
    } else {
        config_only::strive(turn, goal);
    }
}

fn in_sync(turn: &mut Turn, goal: &Goal) {
    if turn.seen.spec.policy.as_ref() != Some(&goal.policy) && gates::person(turn, goal).is_none() {
        let mut spec = turn.seen.spec.clone();
        spec.policy = Some(goal.policy.clone());
        turn.effect(Effect::Ask(spec));
    }
    turn.settle(Phase::InSync);
    turn.status.waiting_for = None;
    turn.status.plan = None;
    turn.status.attempts = 0;
    turn.status.next_attempt = None;
    turn.condition(
        "Synced",
        Verdict::True,
        Reason::InSync,
        "the GPUs are as the policy says, and the node advertises them",
    );
    turn.condition(
        "MaintenancePending",
        Verdict::False,
        Reason::InSync,
        "nothing is to be changed",
    );
}

/// Waits, and says for what.
pub(super) fn pend(turn: &mut Turn, wait: Wait) {
    turn.settle(Phase::Pending);
    if let Some(moment) = wait.until {
        turn.wake(moment);
    }
    let reason = wait.reason.reason();
    let synced = match wait.reason {
        Waiting::AgentNotReady => Verdict::Unknown,
        Waiting::PolicyInvalid
        | Waiting::Paused
        | Waiting::DryRun
        | Waiting::HeldByUser
        | Waiting::NodeNotReady
        | Waiting::ForeignCordon
        | Waiting::BackingOff
        | Waiting::PreflightBlocked
        | Waiting::ForeignInstances
        | Waiting::ForeignManager
        | Waiting::DriverUpgrade
        | Waiting::TooFewGpus
        | Waiting::AwaitingKubelet
        | Waiting::NotAdvertised
        | Waiting::WindowClosed
        | Waiting::Frozen
        | Waiting::MpsNotEnabled
        | Waiting::TwoMpsOwners
        | Waiting::AwaitingSlot => Verdict::False,
    };
    turn.condition(
        "Synced",
        synced,
        reason,
        "the GPUs are not known to be as the policy says",
    );
    turn.condition(
        "MaintenancePending",
        Verdict::True,
        reason,
        wait.message.clone(),
    );
    let waited_before = conditions::find(&turn.seen.maintenance.conditions, "MaintenancePending")
        .is_some_and(|old| old.status == "True" && old.reason == reason.as_str());
    if !waited_before && wait.reason.is_news() {
        turn.tell(Reason::MaintenanceDeferred, wait.message.clone());
    }
    turn.wait_for(wait.message);
}
