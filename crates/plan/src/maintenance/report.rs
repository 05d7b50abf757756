//! Conditions that follow from what is seen, whatever the phase.

use crds::gpu_node::Phase;

use super::turn::Turn;
use crate::conditions::{self, Verdict};
use crate::reason::Reason;

/// Brings `Cordoned`, `HeldByUser` and `Quarantined` up to date, and tells of a cordon that is over.
pub(super) fn update(turn: &mut Turn) {
    match turn.status.phase {
        Phase::Unmanaged => {}
        Phase::InSync
        | Phase::Pending
        | Phase::Preparing
        | Phase::Cordoning
        | Phase::WaitingJobs
        | Phase::Draining
        | Phase::Repartitioning
        | Phase::RollingBack
        | Phase::Validating
        | Phase::Uncordoning
        | Phase::Releasing
        | Phase::Quarantined => {
            cordoned(turn);
            held(turn);
            quarantined(turn);
        }
    }
}

fn cordoned(turn: &mut Turn) {
    let was = conditions::holds(&turn.seen.maintenance.conditions, "Cordoned");
    let marker = marker(turn);
    let is_marked = marker.is_some();
    if let Some(operation) = marker.filter(|_| turn.node.unschedulable) {
        let message = format!("cordoned for operation {operation}");
        return turn.condition("Cordoned", Verdict::True, Reason::Maintenance, message);
    }
    turn.condition(
        "Cordoned",
        Verdict::False,
        Reason::NotCordoned,
        "the operator does not keep the node cordoned",
    );
    let is_given_up = turn.status.phase == Phase::Releasing;
    if was && is_marked && !is_given_up {
        turn.warn(
            Reason::ExternalUncordon,
            "somebody uncordoned the node; its GPUs are being changed, so the operation goes on",
        );
    } else if was && !is_marked && turn.node.unschedulable {
        turn.tell(
            Reason::ForeignCordonPreserved,
            "the node stays cordoned: the cordon is somebody else's",
        );
    } else if was && !is_marked {
        turn.tell(Reason::NodeUncordoned, "the node takes pods again");
    }
}

/// The operation that the node is marked for: the one under way, or the one before it, whose cordon that takes over.
fn marker(turn: &Turn) -> Option<i64> {
    let marker = turn.node.operation?;
    let is_known = turn.is_operating() || marker == turn.status.operation_id;
    is_known.then_some(marker)
}

fn held(turn: &mut Turn) {
    if turn.node.hold {
        let message = format!(
            "annotation {} is on the node: nothing is started and nothing is uncordoned",
            crds::names::ANNOTATION_HOLD
        );
        turn.condition("HeldByUser", Verdict::True, Reason::HeldByUser, message);
    } else {
        turn.condition(
            "HeldByUser",
            Verdict::False,
            Reason::NotHeld,
            "nobody holds the node",
        );
    }
}

fn quarantined(turn: &mut Turn) {
    if turn.status.phase != Phase::Quarantined {
        turn.condition(
            "Quarantined",
            Verdict::False,
            Reason::NotQuarantined,
            "the GPUs are in a known state",
        );
    }
}
