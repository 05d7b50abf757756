//! A step failed: the agent restores the layout from before.

use crds::gpu_node::{
    AgentStage, GpuTarget, MigMode, MigTarget, OperationResult, Phase, PlacedProfile,
    SharingTarget, Target,
};

use super::super::turn::Turn;
use super::{outcome, quarantine, repartitioning, validating};
use crate::change;
use crate::conditions::Verdict;
use crate::reason::Reason;

pub(super) fn enter(turn: &mut Turn) {
    let message = format!(
        "a step failed, the layout from before is being restored: {}",
        turn.error()
    );
    turn.enter(Phase::RollingBack, Some(turn.limits.repartition));
    turn.warn(Reason::RepartitionFailed, message.clone());
    turn.condition(
        "Repartitioned",
        Verdict::False,
        Reason::RepartitionFailed,
        message,
    );
    turn.wait_for(format!(
        "the node's agent to restore the layout from before until {}; then the node is quarantined",
        turn.deadline()
    ));
}

pub(super) fn look(turn: &mut Turn) {
    match turn.answer().map(|answer| answer.stage) {
        Some(AgentStage::RolledBack) => restored(turn),
        Some(AgentStage::Done | AgentStage::Failed) => repartitioning::look(turn),
        Some(
            AgentStage::Ready | AgentStage::Refused | AgentStage::Destroying | AgentStage::Creating,
        )
        | None => {
            if turn.is_overdue() {
                let message = "the layout from before was not restored in time";
                quarantine(
                    turn,
                    outcome(
                        OperationResult::Quarantined,
                        Reason::RollbackTimedOut,
                        message,
                    ),
                );
            }
        }
    }
}

/// The key that was chosen for the operation is unlike the node's label, which has not been touched yet: with it the plugin
/// reads the devices again, which have other UUIDs now.
fn restored(turn: &mut Turn) {
    let message = format!(
        "a step failed, and the layout from before is back: {}",
        turn.error()
    );
    turn.tell(Reason::RollbackSucceeded, message.clone());
    turn.status.outcome = Some(outcome(
        OperationResult::RolledBack,
        Reason::RolledBack,
        message,
    ));
    validating::enter(turn);
}

/// What the node is after a rollback: what was last verified if the GPUs are that again, otherwise the GPUs as they are,
/// not shared.
pub(super) fn before(turn: &Turn) -> Target {
    let verified = turn.status.verified.clone();
    verified
        .filter(|target| change::is_reached(turn.gpus(), target).is_ok())
        .unwrap_or_else(|| Target {
            gpus: turn.gpus().iter().map(as_it_is).collect(),
            ..Target::default()
        })
}

fn as_it_is(gpu: &crds::gpu_node::GpuStatus) -> GpuTarget {
    let place = |slice: &crds::gpu_node::MigInstance| PlacedProfile {
        start: slice.start,
        profile: slice.profile.clone(),
    };
    GpuTarget {
        uuid: gpu.uuid.clone(),
        index: gpu.index,
        mig: MigTarget {
            enabled: gpu.mig.current == MigMode::Enabled,
            instances: gpu.instances.iter().map(place).collect(),
        },
        sharing: gpu.mps.clone().unwrap_or_else(SharingTarget::exclusive),
    }
}
