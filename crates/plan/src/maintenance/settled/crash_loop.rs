//! A node whose MPS daemon was given up: its GPUs are handed out to pods that would find nobody there.
//!
//! One daemon serves all GPUs that a node shares through MPS, and NVIDIA's device plugin withdraws no GPU but one that it has
//! found broken itself. So the whole node is cordoned, and the GPUs are named.

use crds::gpu_node::{OperationResult, Outcome};
use crds::policy::OnMpsCrashLoop;

use super::super::mps;
use super::super::turn::Turn;
use super::super::{operation, ownership};
use super::{admit, gates};
use crate::conditions;
use crate::reason::Reason;
use crate::resolve::Goal;

/// Cordons the node for a daemon that was given up, as soon as people do not keep it as it is. Once for each time: who
/// uncordons the node then has the last word.
pub(super) fn quarantines(turn: &mut Turn, goal: &Goal) -> bool {
    let Some(policy) = turn.seen.policy else {
        return false;
    };
    let wants = mps::is_wanted(&goal.target);
    if !wants || !mps::is_unanswered(turn) || gates::person(turn, goal).is_some() {
        return false;
    }
    let id = turn.status.operation_id.saturating_add(1);
    turn.status.operation_id = id;
    turn.status.started_at = Some(conditions::microseconds(turn.now));
    turn.status.durations = Vec::new();
    turn.status.next_attempt = None;
    turn.status.drain = None;
    turn.status.snapshot = Some(admit::snapshot(policy));
    turn.effect(ownership::cordon(turn.node, id));
    mps::answer_for(turn);
    let why = Outcome {
        result: OperationResult::Failed,
        reason: Reason::MpsCrashLooping.as_str().to_owned(),
        message: mps::given_up(turn, &goal.target),
    };
    match policy.spec.maintenance.on_mps_crash_loop {
        OnMpsCrashLoop::Quarantine => operation::keep_cordoned(turn, why),
        OnMpsCrashLoop::Evict => operation::evacuate(turn, why),
    }
    true
}
