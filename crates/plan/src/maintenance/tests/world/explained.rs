//! What a person must be able to read in every status that a step leaves: what the phase is, since when, what it waits for,
//! until when, and what happens then.

use crds::gpu_node::{MaintenanceStatus, Phase};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::Snapshot;
use crate::maintenance::Step;
use crate::reason::Reason;

/// Checks what a step says.
pub(super) fn check(seen: &Snapshot, step: &Step) {
    let status = &step.status;
    check_events(seen, step);
    // Of a node that was made anew, the first look only forgets what was.
    if seen.node.is_none() || *status == fresh(status) {
        return;
    }
    assert!(
        status.phase_since.is_some(),
        "{:?} since nobody knows when",
        status.phase
    );
    if says_something_new(&seen.maintenance, status) {
        check_sentence(status);
    }
    for condition in &status.conditions {
        check_condition(condition, seen.spec_generation);
    }
}

fn fresh(status: &MaintenanceStatus) -> MaintenanceStatus {
    MaintenanceStatus {
        node_uid: status.node_uid.clone(),
        ..MaintenanceStatus::default()
    }
}

/// A sentence that somebody else has written into a status is theirs.
fn says_something_new(before: &MaintenanceStatus, after: &MaintenanceStatus) -> bool {
    before.phase != after.phase
        || before.deadline != after.deadline
        || before.waiting_for != after.waiting_for
}

fn check_sentence(status: &MaintenanceStatus) {
    let is_settled = matches!(status.phase, Phase::Unmanaged | Phase::InSync);
    assert_eq!(
        status.waiting_for.is_none(),
        is_settled,
        "{:?} waits for {:?}",
        status.phase,
        status.waiting_for
    );
    let Some(deadline) = &status.deadline else {
        return;
    };
    let sentence = status.waiting_for.as_deref().unwrap_or_default();
    let until = format!("until {}; ", deadline.0);
    let then = sentence.split_once(&until).map(|(_, then)| then);
    let is_told = then.is_some_and(|then| then.starts_with("then "));
    assert!(
        is_told,
        "{:?} until {}: {sentence}",
        status.phase, deadline.0
    );
}

fn check_condition(condition: &Condition, generation: i64) {
    let reason = Reason::of(&condition.reason);
    assert_eq!(reason.as_str(), condition.reason, "{condition:?}");
    assert!(!condition.message.is_empty(), "{condition:?}");
    assert_eq!(
        condition.observed_generation,
        Some(generation),
        "{condition:?}"
    );
}

/// Events come with a transition: what is told goes with a status or an effect that will not be there at the next look.
fn check_events(seen: &Snapshot, step: &Step) {
    let mut told = step.events.iter();
    assert!(
        told.all(|event| !event.message.is_empty()),
        "{:?}",
        step.events
    );
    let is_still = step.status == seen.maintenance && step.effects.is_empty();
    assert!(
        step.events.is_empty() || !is_still,
        "told although nothing happens: {:?}",
        step.events
    );
}
