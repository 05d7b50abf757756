//! What ends an operation before the point of no return.

#[cfg(test)]
mod tests;

use crds::gpu_node::{
    AgentStage, BlockedPod, GpuTarget, OperationResult, Outcome, PolicyReference, Target,
};
use crds::policy::{OnWindowClose, Slot};

use super::super::turn::Turn;
use super::super::{neighbours, ownership, survey};
use super::{is_second_try, outcome};
use crate::reason::Reason;
use crate::resolve::{Goal, Wish};
use crate::windows::WindowState;

/// Why an operation that has not destroyed anything must not go on, if so.
pub(super) fn objection(turn: &Turn) -> Option<Outcome> {
    unwanted(turn)
        .or_else(|| slot_lost(turn))
        .or_else(|| dry_run(turn))
        .or_else(|| window_closed(turn))
        .or_else(|| refused(turn))
        .or_else(|| in_other_hands(turn))
}

/// The same for one whose node is cordoned: its agent is alive and its cordon holds.
pub(super) fn objection_when_cordoned(turn: &Turn) -> Option<Outcome> {
    cordon_lost(turn)
        .or_else(|| objection(turn))
        .or_else(|| forgotten(turn))
        .or_else(|| agent_lost(turn))
}

pub(super) fn cordon_lost(turn: &Turn) -> Option<Outcome> {
    let why = ownership::lost(turn.node, turn.status.operation_id)?;
    Some(outcome(
        OperationResult::Failed,
        Reason::ExternalUncordon,
        why,
    ))
}

/// The same before the node carries the mark of this operation: it may carry that of the one before. Out of quarantine it
/// is cordoned again, because a person asks for that.
pub(super) fn cordon_undone(turn: &Turn) -> Option<Outcome> {
    let is_undone = turn.node.operation.is_some() && !turn.node.unschedulable;
    (is_undone && !is_second_try(turn)).then(|| {
        let why = "somebody uncordoned the node";
        outcome(OperationResult::Failed, Reason::ExternalUncordon, why)
    })
}

/// The agent has not been heard for too long.
pub(super) fn agent_lost(turn: &Turn) -> Option<Outcome> {
    let silent = turn.now.duration_since(turn.seen.agent_heard);
    (silent >= turn.limits.agent_lost).then(|| {
        let message = "the node's agent fell silent before anything was changed";
        outcome(OperationResult::Failed, Reason::AgentLost, message)
    })
}

fn refused(turn: &Turn) -> Option<Outcome> {
    let is_refused = turn.answer()?.stage == AgentStage::Refused;
    is_refused.then(|| {
        let message = format!("the node's agent refused: {}", turn.error());
        outcome(OperationResult::Failed, Reason::AgentRefused, message)
    })
}

/// Others have come to work on the GPUs. The driver would be taken away, or the slices undone, under the agent's hands.
fn in_other_hands(turn: &Turn) -> Option<Outcome> {
    let wait = neighbours::comes_first(turn)?;
    let (reason, message) = (wait.reason.reason(), wait.message);
    let message = format!("the change has to wait for {message}");
    Some(outcome(OperationResult::Released, reason, message))
}

/// The agent does not know the operation (any more), or is no longer asked for it.
pub(super) fn forgotten(turn: &Turn) -> Option<Outcome> {
    let is_known = turn.asked().is_some() && turn.answer().is_some();
    (!is_known).then(|| {
        let message = "what the agent is asked, or what it answered, was taken back by somebody";
        outcome(OperationResult::Failed, Reason::RequestLost, message)
    })
}

/// A person has asked that nothing be started here.
pub(super) fn held(turn: &Turn) -> Option<Outcome> {
    turn.node.hold.then(|| {
        let message = "a person holds the node";
        outcome(OperationResult::Released, Reason::HeldByUser, message)
    })
}

/// What may not be evicted is in the way.
pub(super) fn blocked(blocks: &[BlockedPod]) -> Outcome {
    let pods = survey::some(blocks, |block| format!("{} ({})", block.pod, block.reason));
    let message = format!("what may not be evicted is in the way: {pods}");
    outcome(OperationResult::Released, Reason::PreflightBlocked, message)
}

/// The policy does not count the node as out of service any more, so that others may be: the slot was taken back in the
/// moment in which the operation began. A node in quarantine counts without a slot.
fn slot_lost(turn: &Turn) -> Option<Outcome> {
    let policy = turn.seen.policy?;
    let snapshot = turn.status.snapshot.as_ref()?;
    let is_ours =
        |slot: &Slot| slot.uid == turn.node.uid && slot.operation <= turn.status.operation_id;
    let has_slot = turn.seen.slot.is_some_and(is_ours);
    let is_due = snapshot.policy_uid == policy.reference.uid && !is_second_try(turn);
    (is_due && !has_slot).then(|| {
        let message = "its slot was taken back: other nodes may be out of service in its place";
        outcome(OperationResult::Released, Reason::SlotLost, message)
    })
}

pub(super) fn dry_run(turn: &Turn) -> Option<Outcome> {
    turn.seen
        .policy
        .is_some_and(|policy| policy.spec.dry_run)
        .then(|| {
            let message = "the policy has become a dry run";
            outcome(OperationResult::Released, Reason::DryRun, message)
        })
}

fn window_closed(turn: &Turn) -> Option<Outcome> {
    let rule = turn.status.snapshot.as_ref()?.on_window_close;
    let WindowState::Closed { .. } = &turn.seen.policy?.window else {
        return None;
    };
    match rule {
        OnWindowClose::Finish => None,
        OnWindowClose::Abort => {
            let message = "the maintenance window closed before anything was changed";
            Some(outcome(
                OperationResult::Released,
                Reason::WindowClosed,
                message,
            ))
        }
    }
}

/// Whether the policy has come to ask for something else. The same policy in the same generation asks for the same: what
/// the search makes of it while pods leave is no news.
pub(super) fn unwanted(turn: &Turn) -> Option<Outcome> {
    let released = |message| {
        Some(outcome(
            OperationResult::Released,
            Reason::TargetChanged,
            message,
        ))
    };
    match turn.seen.wish {
        Wish::Unmanaged => released("no policy is in force on the node any more"),
        Wish::Refused { policy, .. } if is_new(turn, policy) => {
            released("the policy was changed to something that cannot be had")
        }
        Wish::Goal(goal) if is_another(turn, goal) => {
            released("the policy asks for something else by now")
        }
        Wish::Refused { .. } | Wish::Goal(_) => None,
    }
}

/// Whether this is not what the operation is for.
pub(super) fn is_another(turn: &Turn, goal: &Goal) -> bool {
    is_new(turn, &goal.policy) && is_asked_otherwise(turn, &goal.target)
}

fn is_new(turn: &Turn, policy: &PolicyReference) -> bool {
    turn.status.snapshot.as_ref().is_none_or(|snapshot| {
        snapshot.policy_uid != policy.uid || snapshot.generation != policy.generation
    })
}

/// Before the agent has been asked there is no target to differ from.
fn is_asked_otherwise(turn: &Turn, target: &Target) -> bool {
    turn.asked().is_some() && !is_alike(&turn.target(), target)
}

/// Whether two targets ask for the same slices of the same GPUs, wherever they stand.
pub(super) fn is_alike(one: &Target, other: &Target) -> bool {
    let differs = |(one, other): (&GpuTarget, &GpuTarget)| {
        one.uuid != other.uuid
            || one.sharing != other.sharing
            || one.mig.enabled != other.mig.enabled
            || profiles(one) != profiles(other)
    };
    one.adopt == other.adopt
        && one.replicas == other.replicas
        && one.advertise == other.advertise
        && one.gpus.len() == other.gpus.len()
        && !one.gpus.iter().zip(&other.gpus).any(differs)
}

fn profiles(gpu: &GpuTarget) -> Vec<&str> {
    let mut names: Vec<_> = gpu
        .mig
        .instances
        .iter()
        .map(|place| place.profile.as_str())
        .collect();
    names.sort_unstable();
    names
}
