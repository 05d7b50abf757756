//! A slot is granted: the operation begins, or is recorded as not needed.

use crds::gpu_node::{
    OperationPlan, OperationResult, OperationSnapshot, Outcome, Phase, PluginConfigStatus,
};
use crds::policy::Slot;

use super::super::PolicyView;
use super::super::turn::Turn;
use super::super::{operation, promises, survey};
use super::{drift, gates};
use crate::conditions::{self, Verdict};
use crate::plugin_config;
use crate::reason::Reason;
use crate::resolve::{Goal, Wish};
use crate::windows;

/// Takes up a slot for an operation that this node has not had: every such slot, so that it is given back. Whether the
/// operation begins; otherwise it is recorded as over, and the node is looked at as if there were no slot.
pub(super) fn takes_slot(turn: &mut Turn) -> bool {
    let Some(slot) = new_slot(turn) else {
        return false;
    };
    let id = slot.operation;
    let Some((policy, goal)) = candidate(turn) else {
        let message = "nothing had to be changed any more";
        return decline(turn, id, Reason::NotNeeded, message);
    };
    let settings = &policy.spec.maintenance.drain;
    let affected = &goal.change.affected;
    let assessment = survey::assess(turn.seen, turn.limits, turn.now, settings, affected);
    if let Some(wait) = gates::before_window(turn, goal, &assessment) {
        return decline(turn, id, wait.reason.reason(), &wait.message);
    }
    if is_too_late(turn, policy) {
        let message = "too little was left of the window when the operation was to begin";
        return decline(turn, id, Reason::WindowClosed, message);
    }
    admit(
        turn,
        id,
        policy,
        goal,
        survey::plan(&goal.change, &assessment),
    );
    promises::tell(turn, &assessment);
    true
}

/// The slot was granted while there was time enough. If it was taken up late, there may be too little by now: a little less is
/// no reason to miss the window.
fn is_too_late(turn: &Turn, policy: &PolicyView) -> bool {
    let need = windows::need(&policy.spec.maintenance);
    let little = turn.limits.prepare.min(need / 2);
    let left = need.saturating_sub(little);
    policy.window.admits(turn.now, left).is_err()
}

fn new_slot<'a>(turn: &Turn<'a>) -> Option<&'a Slot> {
    turn.seen
        .slot
        .filter(|slot| slot.uid == turn.node.uid && slot.operation > turn.status.operation_id)
}

fn candidate<'a>(turn: &Turn<'a>) -> Option<(&'a PolicyView<'a>, &'a Goal)> {
    let policy = turn.seen.policy?;
    match turn.seen.wish {
        Wish::Unmanaged | Wish::Refused { .. } => None,
        Wish::Goal(goal) => drift::is_disturbing(turn, goal).then_some((policy, goal)),
    }
}

fn decline(turn: &mut Turn, operation: i64, reason: Reason, message: &str) -> bool {
    turn.status.operation_id = operation;
    turn.status.started_at = Some(conditions::microseconds(turn.now));
    turn.status.durations = Vec::new();
    let outcome = Outcome {
        result: OperationResult::Released,
        reason: reason.as_str().to_owned(),
        message: message.to_owned(),
    };
    operation::enter_in_history(turn, outcome);
    false
}

/// Begins a further operation on a node that is out of service already, with the rules as they are now.
pub(in super::super) fn admit_again(turn: &mut Turn, policy: &PolicyView, goal: &Goal) {
    let settings = &policy.spec.maintenance.drain;
    let assessment = survey::assess(
        turn.seen,
        turn.limits,
        turn.now,
        settings,
        &goal.change.affected,
    );
    let plan = survey::plan(&goal.change, &assessment);
    let operation = turn.status.operation_id.saturating_add(1);
    admit(turn, operation, policy, goal, plan);
    promises::tell(turn, &assessment);
}

fn admit(turn: &mut Turn, operation: i64, policy: &PolicyView, goal: &Goal, plan: OperationPlan) {
    turn.enter(Phase::Preparing, Some(turn.limits.prepare));
    turn.status.operation_id = operation;
    turn.status.started_at = Some(conditions::microseconds(turn.now));
    turn.status.durations = Vec::new();
    turn.status.next_attempt = None;
    turn.status
        .outcome
        .take_if(|outcome| outcome.result != OperationResult::Quarantined);
    turn.status.drain = None;
    turn.status.strategy = Some(goal.strategy.clone());
    turn.status.plugin_config = Some(PluginConfigStatus {
        key: plugin_config::key(&goal.target, turn.node.plugin_config.as_deref()),
        operation_id: operation,
        restarted_at: None,
    });
    turn.status.plan = Some(plan);
    turn.status.snapshot = Some(snapshot(policy));
    let message = format!("operation {operation} is under way");
    turn.condition(
        "MaintenancePending",
        Verdict::False,
        Reason::InMaintenance,
        message.clone(),
    );
    for kind in [
        "Synced",
        "Drained",
        "DrainBlocked",
        "Repartitioned",
        "Validated",
    ] {
        turn.condition(kind, Verdict::False, Reason::InMaintenance, message.clone());
    }
    let (deadline, then) = (turn.deadline(), operation::fallback(turn));
    turn.wait_for(format!(
        "the node's agent to check the target until {deadline}; then {then}"
    ));
}

/// The rules that an operation begins with.
pub(super) fn snapshot(policy: &PolicyView) -> OperationSnapshot {
    OperationSnapshot {
        policy: policy.reference.name.clone(),
        policy_uid: policy.reference.uid.clone(),
        generation: policy.reference.generation,
        drain: policy.spec.maintenance.drain.clone(),
        on_window_close: policy.spec.maintenance.on_window_close,
    }
}
