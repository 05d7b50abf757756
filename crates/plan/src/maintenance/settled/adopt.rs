//! An operation that the agent has begun although the status knows nothing of it: somebody has cleared the status.

use crds::gpu_node::OperationSnapshot;
use crds::policy::{DrainSettings, OnWindowClose};

use super::super::turn::Turn;
use super::super::{operation, ownership};

/// Goes on with it as if it had been admitted, with the node cordoned: what has begun must be validated or quarantined,
/// never forgotten.
pub(super) fn takes_up(turn: &mut Turn) -> bool {
    let Some(asked) = turn.seen.spec.operation.as_ref() else {
        return false;
    };
    let known = std::mem::replace(&mut turn.status.operation_id, asked.id);
    let has_begun = operation::has_begun(turn);
    if has_begun && ownership::is_marked(turn.node, asked.id) {
        adopt(turn);
        return true;
    }
    turn.status.operation_id = known;
    if has_begun {
        turn.effect(ownership::cordon(turn.node, asked.id));
    }
    has_begun
}

fn adopt(turn: &mut Turn) {
    let policy = turn.seen.spec.policy.as_ref();
    turn.status.snapshot = Some(OperationSnapshot {
        policy: policy.map_or_else(String::new, |policy| policy.name.clone()),
        policy_uid: policy.map_or_else(String::new, |policy| policy.uid.clone()),
        generation: policy.map_or(0, |policy| policy.generation),
        drain: DrainSettings::default(),
        on_window_close: OnWindowClose::Finish,
    });
    operation::resume(turn);
}
