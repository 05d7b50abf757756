//! A pod that has been asked to end.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Pod;

/// Since when it has been asked to end. Its `deletionTimestamp` is the moment of the request and the grace period.
pub(super) fn since(pod: &Pod) -> Option<Timestamp> {
    let until = until(pod)?;
    let grace = SignedDuration::from_secs(pod.metadata.deletion_grace_period_seconds.unwrap_or(0));
    Some(until.saturating_sub(grace).unwrap_or(until))
}

/// When its grace is over.
pub(super) fn until(pod: &Pod) -> Option<Timestamp> {
    Some(pod.metadata.deletion_timestamp.as_ref()?.0)
}

/// Seconds that it gets to end if nobody says otherwise. The API server fills in 30.
pub(super) fn own_grace(pod: &Pod) -> i64 {
    let spec = pod.spec.as_ref();
    spec.and_then(|spec| spec.termination_grace_period_seconds)
        .unwrap_or(30)
}
