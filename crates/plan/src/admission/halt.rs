//! When a roll-out stops until a person has looked.

use std::cmp::Reverse;

use crds::GpuSharingPolicy;
use crds::gpu_node::{OperationResult, Phase};
use jiff::Timestamp;

use super::NodeSummary;
use crate::reason::Reason;

/// The most of a policy's nodes, in percent and rounded up, that may be quarantined while others are begun. Rounded up,
/// because one sick node must not hold up a small fleet.
const MOST_QUARANTINED: usize = 20;

/// Why a policy starts nothing any more.
pub(super) struct Halt {
    /// One word.
    pub(super) reason: Reason,
    /// A sentence.
    pub(super) message: String,
}

/// Whether the policy starts nothing any more, and why.
pub(super) fn halted(policy: &GpuSharingPolicy, nodes: &[&NodeSummary]) -> Option<Halt> {
    failures(policy, nodes).or_else(|| quarantine(nodes))
}

/// So many operations in a row, on whatever nodes, did not succeed. A node's failures are forgotten when it succeeds, when
/// the policy changes, and when a person asks for another attempt; so these are the three ways out. That another node, which
/// was begun before, succeeds afterwards, is none.
fn failures(policy: &GpuSharingPolicy, nodes: &[&NodeSummary]) -> Option<Halt> {
    let limit = policy.spec.maintenance.halt_after_failures;
    let mut operations: Vec<_> = nodes.iter().flat_map(|node| operations(node)).collect();
    operations.sort_by_key(|(finished, ..)| Reverse(*finished));
    // Of those that are as long the latest.
    let runs = operations.split(|(_, failed, _)| !failed).rev();
    let longest = runs.max_by_key(|run| run.len()).unwrap_or_default();
    let in_a_row = i32::try_from(longest.len()).unwrap_or(i32::MAX);
    // A node remembers how often it has failed for longer than how.
    let worst = nodes.iter().max_by_key(|node| (node.attempts, &node.name));
    let count = in_a_row.max(worst.map_or(0, |node| node.attempts));
    let latest = longest.first().map(|(.., name)| *name);
    let latest = latest.or(worst.map(|node| node.name.as_str()))?;
    (count >= limit).then(|| Halt {
        reason: Reason::TooManyFailures,
        message: format!(
            "{count} operations in a row did not succeed, the latest on {latest}; see their GpuNodes, then change the \
             policy or set the annotation gpusharing.dev/retry on the nodes"
        ),
    })
}

/// What has broken so many may break the others too. Only nodes that come back, or are no longer the policy's, end it.
fn quarantine(nodes: &[&NodeSummary]) -> Option<Halt> {
    let won = || nodes.iter().filter(|node| node.won);
    let mut quarantined = won().filter(|node| node.phase == Phase::Quarantined);
    let (matched, count) = (won().count(), quarantined.clone().count());
    let first = quarantined.next()?;
    let most = (matched * MOST_QUARANTINED).div_ceil(100);
    (count > most).then(|| Halt {
        reason: Reason::TooManyQuarantined,
        message: format!(
            "more than {MOST_QUARANTINED} % of the nodes are quarantined: {count} of {matched}, {} among them; see their \
             GpuNodes, then put the GPUs right and set the annotation gpusharing.dev/retry on the nodes, or take them out \
             of the policy",
            first.name
        ),
    })
}

/// When each operation ended, whether it still counts as a failure, and where.
fn operations(node: &NodeSummary) -> impl Iterator<Item = (Timestamp, bool, &str)> {
    let remembered = usize::try_from(node.attempts).unwrap_or(0);
    let tried = node.history.iter().filter(|(_, result)| counts(*result));
    tried
        .enumerate()
        .filter_map(move |(index, (finished, result))| {
            let failed = *result != OperationResult::Succeeded;
            // Forgotten failures say nothing.
            (!failed || index < remembered).then_some((*finished, failed, node.name.as_str()))
        })
}

/// An operation that was taken back because it was not needed, or out of time, is no attempt.
const fn counts(result: OperationResult) -> bool {
    match result {
        OperationResult::Released => false,
        OperationResult::Succeeded
        | OperationResult::Failed
        | OperationResult::RolledBack
        | OperationResult::Quarantined => true,
    }
}
