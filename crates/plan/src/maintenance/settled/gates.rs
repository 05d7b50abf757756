//! What a change waits for, in the order in which it is asked.

use crds::policy::OnForeignCordon;
use jiff::{SignedDuration, Timestamp};

use super::super::PolicyView;
use super::super::mps;
use super::super::neighbours;
use super::super::operation;
use super::super::survey;
use super::super::turn::Turn;
use super::super::waiting::{Wait, Waiting};
use crate::admission::is_frozen;
use crate::conditions;
use crate::drain::Assessment;
use crate::quoted::quoted;
use crate::resolve::{Goal, Wish};
use crate::windows::{self, WindowState};

/// A person's word, or another wish, ends the wait after an operation that did not succeed.
pub(super) fn forget_old_failures(turn: &mut Turn) {
    if turn.node.retry != turn.status.retry_seen {
        turn.status.retry_seen.clone_from(&turn.node.retry);
        turn.status.attempts = 0;
        turn.status.next_attempt = None;
    }
    let wanted = match turn.seen.wish {
        Wish::Unmanaged => None,
        Wish::Refused { policy, .. } => Some(policy),
        Wish::Goal(goal) => Some(&goal.policy),
    };
    if wanted != turn.seen.spec.policy.as_ref() {
        turn.status.attempts = 0;
        turn.status.next_attempt = None;
    }
}

/// Everything that any change waits for, a slot last.
pub(super) fn first(turn: &Turn, goal: &Goal, assessment: &Assessment) -> Wait {
    before_window(turn, goal, assessment)
        .or_else(|| turn.seen.policy.and_then(|policy| window(turn.now, policy)))
        .unwrap_or_else(|| slot(turn))
}

/// What must be right whether the window is open or not.
pub(super) fn before_window(turn: &Turn, goal: &Goal, assessment: &Assessment) -> Option<Wait> {
    person(turn, goal)
        .or_else(|| node(turn))
        .or_else(|| neighbours::gate(turn, goal))
        .or_else(|| back_off(turn))
        .or_else(|| agent(turn))
        .or_else(|| mps::not_enabled(turn, goal))
        .or_else(|| mps::another(turn, goal))
        .or_else(|| preflight(assessment))
}

/// What people have said: the policy's author, and whoever holds the node.
pub(super) fn person(turn: &Turn, goal: &Goal) -> Option<Wait> {
    let name = &goal.policy.name;
    let wait = |reason, message: String| Some(Wait::new(reason, message));
    match turn.seen.policy {
        None => wait(Waiting::PolicyInvalid, format!("policy {name} to be read")),
        Some(policy) if !policy.valid => wait(Waiting::PolicyInvalid, invalid(policy)),
        Some(policy) if policy.spec.paused => wait(
            Waiting::Paused,
            format!("policy {name} to be resumed: spec.paused is true"),
        ),
        Some(policy) if policy.spec.dry_run => wait(
            Waiting::DryRun,
            format!(
                "policy {name} to be more than a plan: spec.dryRun is true, so nothing is touched; see status.maintenance.plan"
            ),
        ),
        Some(_) if turn.node.hold => wait(
            Waiting::HeldByUser,
            format!(
                "a person to take annotation {} off the node",
                crds::names::ANNOTATION_HOLD
            ),
        ),
        Some(_) => None,
    }
}

fn invalid(policy: &PolicyView) -> String {
    let name = &policy.reference.name;
    match &policy.problem {
        Some(problem) => format!(
            "policy {name} to be corrected, nothing is changed on any of its nodes until then: {problem}"
        ),
        None => format!(
            "policy {name} to be checked in generation {}",
            policy.reference.generation
        ),
    }
}

fn node(turn: &Turn) -> Option<Wait> {
    let is_foreign = turn.node.unschedulable && turn.node.operation.is_none();
    let rule = turn
        .seen
        .policy
        .map(|policy| policy.spec.maintenance.on_foreign_cordon);
    if !turn.node.ready {
        Some(Wait::new(Waiting::NodeNotReady, "the node to become Ready"))
    } else if is_foreign && rule == Some(OnForeignCordon::Skip) {
        Some(Wait::new(
            Waiting::ForeignCordon,
            "the node to be uncordoned: somebody else has cordoned it, and the policy says onForeignCordon: Skip",
        ))
    } else {
        None
    }
}

fn back_off(turn: &Turn) -> Option<Wait> {
    let next = turn.status.next_attempt.as_ref()?.0;
    if next <= turn.now {
        return None;
    }
    // Without an operation, what did not succeed is the device plugin's reading of its configuration.
    let last = turn.status.history.first();
    let why = last.map_or_else(String::new, |last| format!(": {}", last.message));
    let attempts = turn.status.attempts;
    let retry = crds::names::ANNOTATION_RETRY;
    let message = format!(
        "the next attempt at {next} (a new value of annotation {retry} on the node tries at once); attempt {attempts} did not succeed{why}"
    );
    Some(Wait::new(Waiting::BackingOff, message).until(Some(next)))
}

/// Whether the agent can be believed, and is free to do something else.
pub(super) fn agent(turn: &Turn) -> Option<Wait> {
    let message = match turn.seen.agent {
        None => "the node's agent to report: see whether its pod runs on this node".to_owned(),
        Some(agent) => match conditions::find(&agent.conditions, "Ready") {
            Some(ready) if ready.status == "True" && !agent.gpus.is_empty() => busy(turn)?,
            Some(ready) if ready.status == "True" => "the node's agent to see a GPU".to_owned(),
            Some(ready) => quoted(&ready.message).map_or_else(
                || "the node's agent to be ready".to_owned(),
                |why| format!("the node's agent to be ready: {why}"),
            ),
            None => "the node's agent to say that it is ready".to_owned(),
        },
    };
    Some(Wait::new(Waiting::AgentNotReady, message))
}

/// What the agent has begun it finishes first, whatever is wanted by now and whoever has forgotten that it began.
fn busy(turn: &Turn) -> Option<String> {
    let operation = turn.seen.agent?.operation.as_ref();
    let operation = operation.filter(|_| operation::is_busy(turn))?;
    let id = operation.id;
    Some(format!(
        "the node's agent to finish operation {id}, which has begun to change the GPUs"
    ))
}

fn preflight(assessment: &Assessment) -> Option<Wait> {
    let blocked = assessment.objections();
    let pods = survey::some(&blocked, |block| {
        format!("{} ({}: {})", block.pod, block.reason, block.message)
    });
    (!blocked.is_empty()).then(|| {
        Wait::new(
            Waiting::PreflightBlocked,
            format!("what may not be evicted to be gone; the node is not cordoned before: {pods}"),
        )
        .until(assessment.changes_at)
    })
}

fn window(now: Timestamp, policy: &PolicyView) -> Option<Wait> {
    let need = windows::need(&policy.spec.maintenance);
    let late = policy.window.admits(now, need).err()?;
    Some(Wait::new(Waiting::WindowClosed, late.message).until(late.until))
}

/// Once too little is left of the window, that is what is waited for.
fn slot(turn: &Turn) -> Wait {
    let policy = turn.seen.policy;
    let name = policy.map_or("", |policy| policy.reference.name.as_str());
    if policy.is_some_and(|policy| is_frozen(&policy.spec.maintenance.max_unavailable)) {
        let message = format!(
            "policy {name} to admit nodes: its spec.maintenance.maxUnavailable is 0, so no node is ever taken out of \
             service; write 1 or more"
        );
        return Wait::new(Waiting::Frozen, message);
    }
    let too_late_from = policy.and_then(|policy| match policy.window {
        WindowState::Open { end, .. } => {
            let need = windows::need(&policy.spec.maintenance);
            let last = end.saturating_sub(need).ok()?;
            last.saturating_add(SignedDuration::from_secs(1)).ok()
        }
        WindowState::Always | WindowState::Closed { .. } => None,
    });
    let message = policy.and_then(|policy| policy.halted.as_ref()).map_or_else(
        || format!("policy {name} to admit the node: its spec.maintenance limits how many nodes are out of service at once"),
        |halted| format!("policy {name} to admit the node; its roll-out has stopped: {halted}"),
    );
    Wait::new(Waiting::AwaitingSlot, message).until(too_late_from)
}
