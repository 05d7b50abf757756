//! No policy selects the node: its GPUs stay as they are.

use std::collections::BTreeMap;

use crds::GpuNodeSpec;
use crds::gpu_node::{MaintenanceStatus, Phase};

use super::super::Effect;
use super::super::turn::Turn;

/// Asks nothing of the agent, promises nothing to pods, and leaves the GPUs and the plugin's configuration alone.
pub(super) fn leave_alone(turn: &mut Turn) {
    if *turn.seen.spec != GpuNodeSpec::default() {
        turn.effect(Effect::Ask(GpuNodeSpec::default()));
    }
    if !turn.node.guarantees.is_empty() {
        let withdrawn: BTreeMap<_, _> = turn
            .node
            .guarantees
            .keys()
            .map(|label| (label.clone(), None))
            .collect();
        turn.effect(Effect::Label(withdrawn));
    }
    turn.settle(Phase::Unmanaged);
    turn.status = MaintenanceStatus {
        phase: Phase::Unmanaged,
        phase_since: turn.status.phase_since.take(),
        operation_id: turn.status.operation_id,
        node_uid: turn.status.node_uid.take(),
        retry_seen: turn.status.retry_seen.take(),
        history: std::mem::take(&mut turn.status.history),
        ..MaintenanceStatus::default()
    };
}
