//! The operations that are over.

use crds::gpu_node::{HistoryEntry, OperationResult, Outcome};

use super::super::turn::Turn;
use crate::conditions;

const KEPT: usize = 5;

/// Enters the operation under way as over. The newest comes first; the oldest of six is dropped.
pub(in super::super) fn enter(turn: &mut Turn, outcome: Outcome) {
    let now = conditions::microseconds(turn.now);
    turn.status.history.insert(
        0,
        HistoryEntry {
            id: turn.status.operation_id,
            result: outcome.result,
            reason: outcome.reason,
            message: outcome.message,
            started_at: turn
                .status
                .started_at
                .clone()
                .unwrap_or_else(|| now.clone()),
            finished_at: now,
            durations: std::mem::take(&mut turn.status.durations),
        },
    );
    turn.status.history.truncate(KEPT);
}

/// Counts it: what did not succeed is tried again later and later, what was only put off is not.
pub(super) fn count(turn: &mut Turn, result: OperationResult) {
    match result {
        OperationResult::Succeeded => turn.status.attempts = 0,
        OperationResult::Released => {}
        OperationResult::Failed | OperationResult::RolledBack | OperationResult::Quarantined => {
            turn.status.attempts = turn.status.attempts.saturating_add(1);
            let wait = turn.limits.wait_after(turn.status.attempts);
            turn.status.next_attempt = Some(conditions::seconds(turn.after(wait)));
        }
    }
}
