//! A status that no step writes, but a person can: made into one that steps can go on from.

use crds::gpu_node::Phase;

use super::turn::Turn;
use crate::conditions;

/// Every phase of an operation has an operation and a deadline. One without is as good as over.
pub(super) fn status(turn: &mut Turn) {
    match turn.status.phase {
        Phase::Unmanaged | Phase::InSync | Phase::Pending => turn.status.snapshot = None,
        Phase::Validating if !turn.is_operating() => has_deadline(turn),
        Phase::Quarantined if turn.is_operating() => turn.status.deadline = None,
        Phase::Uncordoning | Phase::Releasing if turn.is_operating() => {}
        Phase::Preparing
        | Phase::Cordoning
        | Phase::WaitingJobs
        | Phase::Draining
        | Phase::Repartitioning
        | Phase::RollingBack
        | Phase::Validating
            if turn.is_operating() =>
        {
            has_deadline(turn);
        }
        Phase::Preparing
        | Phase::Cordoning
        | Phase::WaitingJobs
        | Phase::Draining
        | Phase::Repartitioning
        | Phase::RollingBack
        | Phase::Validating
        | Phase::Uncordoning
        | Phase::Releasing
        | Phase::Quarantined => {
            turn.settle(Phase::Pending);
            turn.wait_for("the operator to look at the node again: its status named no operation");
        }
    }
}

fn has_deadline(turn: &mut Turn) {
    if turn.status.deadline.is_none() {
        turn.status.deadline = Some(conditions::seconds(turn.now));
        turn.wait_for(format!(
            "the phase to end until {}; then it is given up: its status named no deadline",
            turn.deadline()
        ));
    }
}
