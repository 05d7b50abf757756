//! What of a status makes a difference to later steps: the rest is forgotten, and moments become before, now or after.
//!
//! The present is always the same moment. Time passes by what it brings: a deadline that was ahead comes to be behind.
//! `tests::forgetting` proves that a step cannot tell what is forgotten.

use crds::gpu_node::{
    DrainReport, MaintenanceStatus, Outcome, Phase, PluginConfigStatus, PodReference,
};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, MicroTime, Time};
use plan::conditions;

/// The present: a Sunday.
pub fn now() -> Timestamp {
    "2026-03-01T02:00:00Z".parse().expect("a moment")
}

/// So many seconds from now.
pub fn after(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

/// Where moments ahead are, and those behind.
pub const AHEAD: i64 = 100;
/// A quiet time that is long enough.
pub const QUIET: i64 = -10;
/// Where the beginning of a phase is whose own time is over.
pub const SETTLED: i64 = -100;
/// Where the beginning of a drain is after its timeout, and after the time for force as well.
pub const OVERDUE: [i64; 2] = [-700, -1700];

/// The status, as far as steps go by it.
pub fn forget(status: &MaintenanceStatus) -> MaintenanceStatus {
    MaintenanceStatus {
        phase: status.phase,
        phase_since: Some(MicroTime(since(status))),
        operation_id: status.operation_id,
        node_uid: status.node_uid.clone(),
        deadline: deadline(status).map(Time),
        attempts: status.attempts.min(1),
        next_attempt: status.next_attempt.as_ref().and_then(ahead),
        retry_seen: status.retry_seen.clone(),
        mps_heard: status.mps_heard.clone(),
        drain: drain(status),
        snapshot: status.snapshot.clone(),
        plugin_config: status.plugin_config.as_ref().map(key),
        verified: status.verified.clone(),
        outcome: status.outcome.as_ref().map(outcome),
        conditions: said(status),
        // For people: who waits for what since when, the plan, the history.
        waiting_for: None,
        strategy: None,
        started_at: None,
        plan: None,
        durations: Vec::new(),
        history: Vec::new(),
    }
}

/// An attempt that is due is as good as one that was never put off.
fn ahead(moment: &Time) -> Option<Time> {
    (moment.0 > now()).then(|| Time(after(AHEAD)))
}

/// Only drains and the wait for the plugin go by when they began.
fn since(status: &MaintenanceStatus) -> Timestamp {
    let since = status.phase_since.as_ref().map_or(now(), |since| since.0);
    match status.phase {
        Phase::Draining => since,
        Phase::Validating if is_settling(status) => since,
        Phase::Validating
        | Phase::Unmanaged
        | Phase::InSync
        | Phase::Pending
        | Phase::Preparing
        | Phase::Cordoning
        | Phase::WaitingJobs
        | Phase::Repartitioning
        | Phase::RollingBack
        | Phase::Uncordoning
        | Phase::Releasing
        | Phase::Quarantined => now(),
    }
}

/// A deadline that has passed already makes no difference where nothing is given up at it.
fn deadline(status: &MaintenanceStatus) -> Option<Timestamp> {
    let deadline = status.deadline.as_ref()?.0;
    let is_behind = deadline <= now() && status.phase != Phase::Uncordoning;
    let is_behind = is_behind && status.phase != Phase::Releasing;
    Some(after(if is_behind { -AHEAD } else { AHEAD }))
}

fn drain(status: &MaintenanceStatus) -> Option<DrainReport> {
    let drain = status.drain.as_ref()?;
    let somebody = PodReference {
        namespace: "default".to_owned(),
        name: "somebody".to_owned(),
        uid: "somebody".to_owned(),
    };
    (status.phase == Phase::Draining).then(|| DrainReport {
        evicted: drain
            .evicted
            .first()
            .map(|_| somebody)
            .into_iter()
            .collect(),
        quiet_since: drain.quiet_since.clone(),
        ..DrainReport::default()
    })
}

fn key(chosen: &PluginConfigStatus) -> PluginConfigStatus {
    PluginConfigStatus {
        key: chosen.key.clone(),
        operation_id: 0,
        restarted_at: None,
    }
}

fn outcome(outcome: &Outcome) -> Outcome {
    Outcome {
        result: outcome.result,
        reason: String::new(),
        message: String::new(),
    }
}

fn is_settling(status: &MaintenanceStatus) -> bool {
    settling(status).is_some_and(|reason| reason == "Settling")
}

/// How it is with numbers that are right by coincidence.
fn settling(status: &MaintenanceStatus) -> Option<&str> {
    let validated = conditions::find(&status.conditions, "Validated");
    let validated = validated.filter(|_| status.snapshot.is_some())?;
    let reasons = ["SameNumbers", "Settling"];
    Some(validated.reason.as_str()).filter(|reason| reasons.contains(reason))
}

/// Whether a slot is all that the node waits for, and whether the plugin has yet to settle.
fn said(status: &MaintenanceStatus) -> Vec<Condition> {
    let waits = status.phase == Phase::Pending && wants_slot(status);
    let settles = settling(status).filter(|_| status.phase == Phase::Validating);
    let quarantined = conditions::holds(&status.conditions, "Quarantined");
    [
        waits.then(|| condition("MaintenancePending", "True", "AwaitingSlot")),
        quarantined.then(|| condition("Quarantined", "True", "")),
        settles.map(|reason| condition("Validated", "False", reason)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Whether a slot is all that the node waits for, now or once the window opens.
pub fn wants_slot(status: &MaintenanceStatus) -> bool {
    let pending = conditions::find(&status.conditions, "MaintenancePending");
    pending.is_some_and(|pending| {
        let reason = pending.reason.as_str();
        pending.status == "True" && ["AwaitingSlot", "WindowClosed"].contains(&reason)
    })
}

fn condition(kind: &str, status: &str, reason: &str) -> Condition {
    Condition {
        type_: kind.to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        message: String::new(),
        observed_generation: None,
        last_transition_time: Time(now()),
    }
}
