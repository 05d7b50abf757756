//! The agent checks the target and reads who holds the devices. Nothing has been touched.

use crds::GpuNodeSpec;
use crds::gpu_node::{AgentStage, Operation, OperationResult, OperationStage, Phase};

use super::super::Effect;
use super::super::turn::Turn;
use super::super::{promises, publication, survey};
use super::{fallback, give_up, guards, outcome, retarget, rolling_back, validating};
use crate::plugin_config;
use crate::reason::Reason;
use crate::resolve::Wish;

pub(super) fn look(turn: &mut Turn) {
    if super::has_begun(turn) {
        return super::repartitioning::enter(turn);
    }
    if retarget::follows(turn) {
        return;
    }
    let objection = guards::objection(turn).or_else(|| guards::cordon_undone(turn));
    if let Some(why) = objection.or_else(|| guards::held(turn)) {
        return give_up(turn, why);
    }
    if turn.is_overdue() && turn.answer().is_none() {
        let message = "the node's agent did not answer in time; the node was not touched";
        return give_up(
            turn,
            outcome(OperationResult::Failed, Reason::AgentLost, message),
        );
    }
    if turn.asked().is_none() {
        return ask(turn);
    }
    let is_ready = turn
        .answer()
        .is_some_and(|answer| answer.stage == AgentStage::Ready);
    if is_ready {
        preflight(turn);
    }
}

/// Publishes the plugin's configurations first, also that which a rollback would need: they take a minute to reach the node.
fn ask(turn: &mut Turn) {
    let Wish::Goal(goal) = turn.seen.wish else {
        return;
    };
    let chosen = turn.status.plugin_config.as_ref();
    if !chosen.is_some_and(|chosen| plugin_config::holds(&goal.target, &chosen.key)) {
        return validating::choose(turn, &goal.target);
    }
    publication::ahead(turn, &goal.target);
    let before = rolling_back::before(turn);
    if plugin_config::render(&before) != plugin_config::render(&goal.target) {
        publication::ahead(turn, &before);
    }
    turn.effect(Effect::Ask(GpuNodeSpec {
        policy: Some(goal.policy.clone()),
        target: Some(goal.target.clone()),
        operation: Some(Operation {
            id: turn.status.operation_id,
            class: goal.change.class,
            stage: OperationStage::Prepare,
        }),
    }));
}

/// The last look before the node is touched, on what the agent has read for this very operation.
fn preflight(turn: &mut Turn) {
    let Some(snapshot) = turn.status.snapshot.clone() else {
        return;
    };
    let change = turn.change();
    let assessment = survey::assess(
        turn.seen,
        turn.limits,
        turn.now,
        &snapshot.drain,
        &change.affected,
    );
    let plan = survey::plan(&change, &assessment);
    let blocked = assessment.objections();
    if !blocked.is_empty() {
        return give_up(turn, guards::blocked(&blocked));
    }
    turn.status.plan = Some(plan);
    promises::tell(turn, &assessment);
    turn.enter(Phase::Cordoning, Some(turn.limits.cordon));
    let (deadline, then) = (turn.deadline(), fallback(turn));
    turn.wait_for(format!(
        "the node to show the cordon until {deadline}; then {then}"
    ));
}
