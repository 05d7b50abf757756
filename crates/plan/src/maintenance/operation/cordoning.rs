//! The node is being cordoned and marked, in one patch.

use crds::gpu_node::{OperationResult, Outcome};
use crds::policy::OnForeignCordon;

use super::super::ownership;
use super::super::turn::Turn;
use super::{draining, give_up, guards, jobs, outcome, retarget};
use crate::reason::Reason;

pub(super) fn look(turn: &mut Turn) {
    if super::has_begun(turn) {
        return super::repartitioning::enter(turn);
    }
    if retarget::follows(turn) {
        return;
    }
    let objection = guards::objection(turn)
        .or_else(|| guards::cordon_undone(turn))
        .or_else(|| guards::forgotten(turn))
        .or_else(|| guards::agent_lost(turn));
    if let Some(why) = objection
        .or_else(|| too_late(turn))
        .or_else(|| not_ours_to_take(turn))
    {
        return give_up(turn, why);
    }
    if ownership::is_marked(turn.node, turn.status.operation_id) {
        let memory = if turn.node.pre_cordoned {
            "; it was cordoned before and will stay so"
        } else {
            ""
        };
        let operation = turn.status.operation_id;
        turn.tell(
            Reason::NodeCordoned,
            format!("cordoned for operation {operation}{memory}"),
        );
        return if jobs::are_waited_for(turn) {
            jobs::enter(turn);
        } else {
            draining::enter(turn);
        };
    }
    turn.effect(ownership::cordon(turn.node, turn.status.operation_id));
}

fn too_late(turn: &Turn) -> Option<Outcome> {
    let late = turn.is_overdue() && !ownership::is_marked(turn.node, turn.status.operation_id);
    late.then(|| {
        let message = "the node could not be cordoned in time";
        outcome(OperationResult::Failed, Reason::CordonFailed, message)
    })
}

/// What people have done to the node since the operation was admitted.
fn not_ours_to_take(turn: &Turn) -> Option<Outcome> {
    if turn.node.operation.is_some() {
        return None;
    }
    let rule = turn
        .seen
        .policy
        .map(|policy| policy.spec.maintenance.on_foreign_cordon);
    if let Some(held) = guards::held(turn) {
        Some(held)
    } else if turn.node.unschedulable && rule == Some(OnForeignCordon::Skip) {
        let message = "somebody else has cordoned the node, and the policy skips such nodes";
        Some(outcome(
            OperationResult::Released,
            Reason::ForeignCordon,
            message,
        ))
    } else {
        None
    }
}
