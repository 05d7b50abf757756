//! An operation under way: its phases, and the ways out of it.

mod conclusion;
mod cordoning;
mod draining;
mod evacuation;
mod guards;
mod history;
mod jobs;
mod preparing;
mod quarantined;
mod repartitioning;
mod retarget;
mod rolling_back;
mod validating;

pub(super) use evacuation::begin as evacuate;
pub(super) use history::enter as enter_in_history;
pub(super) use repartitioning::enter as resume;

use crds::gpu_node::{AgentStage, OperationResult, Outcome, Phase};

use super::turn::Turn;
use crate::conditions::Verdict;
use crate::reason::Reason;

/// One look at an operation under way. A phase without an operation belongs to `settled`.
pub(super) fn look(turn: &mut Turn) {
    match turn.status.phase {
        Phase::Preparing => preparing::look(turn),
        Phase::Cordoning => cordoning::look(turn),
        Phase::WaitingJobs => jobs::look(turn),
        Phase::Draining => draining::look(turn),
        Phase::Repartitioning => repartitioning::look(turn),
        Phase::RollingBack => rolling_back::look(turn),
        Phase::Validating => validating::look(turn),
        Phase::Uncordoning | Phase::Releasing => conclusion::look(turn),
        Phase::Quarantined => quarantined::look(turn),
        Phase::Unmanaged | Phase::InSync | Phase::Pending => super::settled::look(turn),
    }
}

/// Whether the agent has passed the point of no return of this operation.
pub(super) fn has_begun(turn: &Turn) -> bool {
    turn.answer().is_some_and(|answer| match answer.stage {
        AgentStage::Ready | AgentStage::Refused => false,
        AgentStage::Destroying
        | AgentStage::Creating
        | AgentStage::Done
        | AgentStage::RolledBack
        | AgentStage::Failed => true,
    })
}

/// Whether the agent changes the GPUs, for whatever operation: then no node is given back.
pub(super) fn is_busy(turn: &Turn) -> bool {
    let operation = turn.seen.agent.and_then(|agent| agent.operation.as_ref());
    operation.is_some_and(|operation| match operation.stage {
        AgentStage::Destroying | AgentStage::Creating => true,
        AgentStage::Ready
        | AgentStage::Refused
        | AgentStage::Done
        | AgentStage::RolledBack
        | AgentStage::Failed => false,
    })
}

fn outcome(result: OperationResult, reason: Reason, message: impl Into<String>) -> Outcome {
    Outcome {
        result,
        reason: reason.as_str().to_owned(),
        message: message.into(),
    }
}

/// Whether the GPUs were not to be trusted when the operation began: then giving it up must not give the node back.
fn is_second_try(turn: &Turn) -> bool {
    let outcome = turn.status.outcome.as_ref();
    outcome.is_some_and(|outcome| outcome.result == OperationResult::Quarantined)
}

/// What giving the operation up comes to, for sentences about what happens then.
pub(super) fn fallback(turn: &Turn) -> &'static str {
    if is_second_try(turn) {
        "the node is quarantined again"
    } else if turn.node.operation.is_some() {
        "the node is given back"
    } else {
        "the slot is given back, the node was not touched"
    }
}

/// Gives the operation up before the point of no return: what was done to the node is undone.
fn give_up(turn: &mut Turn, why: Outcome) {
    if is_second_try(turn) {
        return quarantine(turn, why);
    }
    if evacuation::is_under_way(turn) {
        return evacuation::end(turn, Some(&why));
    }
    turn.enter(Phase::Releasing, Some(turn.limits.cordon));
    let (reason, message) = (Reason::of(&why.reason), why.message.clone());
    turn.condition("Synced", Verdict::False, reason, message.clone());
    let reason = event_reason(reason);
    match why.result {
        OperationResult::Failed => turn.warn(reason, message),
        OperationResult::Released
        | OperationResult::Succeeded
        | OperationResult::RolledBack
        | OperationResult::Quarantined => turn.tell(reason, message),
    }
    turn.status.outcome = Some(why);
    turn.wait_for(conclusion::sentence(turn));
}

/// What somebody has done to the node is told by its own name.
fn event_reason(reason: Reason) -> Reason {
    let by_name = [Reason::ExternalUncordon, Reason::AgentLost];
    if by_name.contains(&reason) {
        reason
    } else {
        Reason::MaintenanceDeferred
    }
}

/// Keeps a node cordoned whose GPUs are as they were, because its policy says so.
pub(super) fn keep_cordoned(turn: &mut Turn, why: Outcome) {
    if is_second_try(turn) {
        return quarantine(turn, why);
    }
    if evacuation::is_under_way(turn) {
        return evacuation::end(turn, Some(&why));
    }
    stay_cordoned(turn, &why);
    turn.status.outcome = Some(why);
}

/// Keeps the node cordoned until a person has looked, or the GPUs are seen to be in order.
fn quarantine(turn: &mut Turn, why: Outcome) {
    stay_cordoned(turn, &why);
    turn.status.outcome = Some(Outcome {
        result: OperationResult::Quarantined,
        ..why
    });
}

fn stay_cordoned(turn: &mut Turn, why: &Outcome) {
    turn.enter(Phase::Quarantined, None);
    let reason = Reason::of(&why.reason);
    turn.condition("Quarantined", Verdict::True, reason, why.message.clone());
    turn.condition("Synced", Verdict::False, reason, why.message.clone());
    turn.warn(Reason::NodeQuarantined, why.message.clone());
    turn.wait_for(format!(
        "a person, or the GPUs to be in order again; the node stays cordoned, because {}. Annotation {} on the node with a new value tries again",
        why.message,
        crds::names::ANNOTATION_RETRY
    ));
}
