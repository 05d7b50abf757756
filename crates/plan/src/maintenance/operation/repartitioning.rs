//! The agent changes the GPUs. Its word `Destroying` is the point of no return.

use crds::gpu_node::{AgentStage, OperationResult, OperationStage, Outcome, Phase};

use super::super::clients;
use super::super::survey;
use super::super::turn::Turn;
use super::{give_up, guards, outcome, quarantine, retarget, rolling_back, validating};
use crate::conditions::Verdict;
use crate::reason::Reason;

/// The cordon has taken back what the node promises; an agent that begins without being told has not waited for it.
pub(in super::super) fn enter(turn: &mut Turn) {
    turn.promise_nothing();
    turn.enter(Phase::Repartitioning, Some(turn.limits.repartition));
    turn.tell(
        Reason::RepartitionStarted,
        format!("the agent may change the GPUs until {}", turn.deadline()),
    );
    turn.wait_for(sentence(turn));
}

fn sentence(turn: &Turn) -> String {
    format!(
        "the node's agent to change the GPUs until {}; then the node is given back if nothing was destroyed, and is quarantined otherwise",
        turn.deadline()
    )
}

pub(super) fn look(turn: &mut Turn) {
    let Some(answer) = turn.answer() else {
        return before_it_begins(turn);
    };
    match answer.stage {
        AgentStage::Ready | AgentStage::Refused => before_it_begins(turn),
        AgentStage::Destroying | AgentStage::Creating if answer.error.is_some() => {
            rolling_back::enter(turn);
        }
        AgentStage::Destroying | AgentStage::Creating => under_way(turn),
        AgentStage::Done => done(turn),
        AgentStage::RolledBack => rolling_back::enter(turn),
        AgentStage::Failed => failed(turn),
    }
}

/// Nothing has been destroyed: everything can still be undone.
fn before_it_begins(turn: &mut Turn) {
    if retarget::follows(turn) {
        return;
    }
    let objection = guards::objection_when_cordoned(turn).or_else(|| held_again(turn));
    if let Some(why) = objection {
        return give_up(turn, why);
    }
    if turn.is_overdue() {
        let why = too_late(turn);
        return give_up(turn, why);
    }
    match turn.asked().map(|asked| asked.stage) {
        Some(OperationStage::Prepare) => {
            if clients::are_away(turn) {
                turn.wait_for(sentence(turn));
                turn.ask_for(OperationStage::Proceed);
            }
        }
        Some(OperationStage::Proceed) => {}
        Some(OperationStage::Abort) | None => {
            let message = "the agent was told to stop; nothing was changed";
            give_up(
                turn,
                outcome(OperationResult::Failed, Reason::RequestLost, message),
            );
        }
    }
    let lost = turn.seen.agent_heard.saturating_add(turn.limits.agent_lost);
    turn.wake(lost.unwrap_or(turn.now));
}

fn too_late(turn: &Turn) -> Outcome {
    let pod = clients::remaining(turn);
    let has_gone_ahead = turn
        .asked()
        .is_some_and(|asked| asked.stage == OperationStage::Proceed);
    let Some(pod) = pod.filter(|_| !has_gone_ahead) else {
        let message = "the node's agent did not begin in time; nothing was changed";
        return outcome(OperationResult::Failed, Reason::AgentStuck, message);
    };
    let message = format!("pod {pod} did not end and kept the GPUs open; nothing was changed");
    outcome(OperationResult::Failed, Reason::GpuClientsStuck, message)
}

/// A pod may have come back while nobody looked: the go-ahead is given on a fresh look only.
fn held_again(turn: &Turn) -> Option<Outcome> {
    let drain = &turn.status.snapshot.as_ref()?.drain;
    let affected = turn.change().affected;
    let assessment = survey::assess(turn.seen, turn.limits, turn.now, drain, &affected);
    (!assessment.is_clear()).then(|| {
        let message = "a pod came onto an affected device after the drain; nothing was changed";
        outcome(OperationResult::Failed, Reason::DevicesHeld, message)
    })
}

fn under_way(turn: &mut Turn) {
    if turn.is_overdue() {
        let message = "the node's agent did not finish in time, and had begun to destroy";
        quarantine(
            turn,
            outcome(
                OperationResult::Quarantined,
                Reason::RepartitionTimedOut,
                message,
            ),
        );
    }
}

fn failed(turn: &mut Turn) {
    let message = format!("a step failed, and so did going back: {}", turn.error());
    turn.warn(Reason::RollbackFailed, message.clone());
    turn.condition(
        "Repartitioned",
        Verdict::False,
        Reason::RollbackFailed,
        message.clone(),
    );
    quarantine(
        turn,
        outcome(
            OperationResult::Quarantined,
            Reason::RollbackFailed,
            message,
        ),
    );
}

fn done(turn: &mut Turn) {
    turn.status.outcome = None;
    let message = "the GPUs are as the policy says, read back by the agent";
    turn.tell(Reason::RepartitionSucceeded, message);
    turn.condition(
        "Repartitioned",
        Verdict::True,
        Reason::RepartitionSucceeded,
        message,
    );
    validating::enter(turn);
}
