//! No policy selects the node: its GPUs stay as they are.

use crds::GpuNodeSpec;
use crds::gpu_node::{MaintenanceStatus, Phase};

use super::super::Effect;
use super::super::mps;
use super::super::turn::Turn;

/// Asks nothing of the agent, promises nothing to pods, and leaves the GPUs and the plugin's configuration alone.
pub(super) fn leave_alone(turn: &mut Turn) {
    turn.promise_nothing();
    // The agent may end its MPS daemon from now on: what the node has promised until now does not hold any more.
    if *turn.seen.spec != GpuNodeSpec::default() {
        turn.effect(Effect::Ask(GpuNodeSpec::default()));
    }
    turn.settle(Phase::Unmanaged);
    turn.status = MaintenanceStatus {
        phase: Phase::Unmanaged,
        phase_since: turn.status.phase_since.take(),
        operation_id: turn.status.operation_id,
        node_uid: turn.status.node_uid.take(),
        retry_seen: turn.status.retry_seen.take(),
        mps_heard: turn.status.mps_heard.take(),
        conditions: mps::kept(&mut turn.status.conditions),
        history: std::mem::take(&mut turn.status.history),
        ..MaintenanceStatus::default()
    };
}
