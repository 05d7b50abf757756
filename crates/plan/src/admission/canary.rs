//! The few nodes that go first, and the wait for them to prove a change.

use crds::GpuSharingPolicy;
use crds::gpu_node::{OperationResult, Phase};
use crds::policy::{Canary, Slot};
use jiff::{SignedDuration, Timestamp};

use super::NodeSummary;
use crate::windows::duration;

/// Whether a node may go now: as one of the canaries, again because it has failed as one, or because so many have been in
/// sync for long enough. Only operations that succeeded since the node has been waiting prove anything to it: earlier ones
/// were for another change.
pub(super) fn admits(
    policy: &GpuSharingPolicy,
    node: &NodeSummary,
    nodes: &[&NodeSummary],
    slots: &[Slot],
    now: Timestamp,
) -> bool {
    let Some(canary) = &policy.spec.maintenance.canary else {
        return true;
    };
    let enough = usize::try_from(canary.nodes).unwrap_or(1);
    let proofs = |until: Timestamp| {
        let proves = |at: Timestamp| Some(at) >= node.pending_since && at <= until;
        let successes = nodes.iter().filter_map(|other| success(other));
        successes.filter(|at| proves(*at)).count()
    };
    let soaked = now.saturating_sub(soak(canary)).unwrap_or(Timestamp::MIN);
    // A canary that has failed is still one: nobody follows in its place.
    let sings = |other: &&&NodeSummary| {
        let chosen = slots.iter().any(|slot| slot.node == other.name);
        chosen || other.is_in_flight() || other.attempts > 0
    };
    node.attempts > 0
        || proofs(soaked) >= enough
        || proofs(now) + nodes.iter().filter(sings).count() < enough
}

/// When the next canary will have been in sync for long enough.
pub(super) fn soaked(
    policy: &GpuSharingPolicy,
    nodes: &[&NodeSummary],
    now: Timestamp,
) -> Option<Timestamp> {
    let soak = soak(policy.spec.maintenance.canary.as_ref()?);
    let successes = nodes.iter().filter_map(|node| success(node));
    let ends = successes.filter_map(|at| at.saturating_add(soak).ok());
    ends.filter(|end| *end > now).min()
}

/// When the operation ended that has brought a node in sync.
fn success(node: &NodeSummary) -> Option<Timestamp> {
    let (at, result) = node.history.first()?;
    let proves = node.phase == Phase::InSync && *result == OperationResult::Succeeded;
    proves.then_some(*at)
}

fn soak(canary: &Canary) -> SignedDuration {
    duration(&canary.soak).unwrap_or_default()
}
