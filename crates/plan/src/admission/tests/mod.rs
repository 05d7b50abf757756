//! Slots, conditions and numbers of a policy.

mod bad_input;
mod canary;
mod properties;
mod rollout;
mod slots;
mod verdicts;

use crds::GpuSharingPolicy;
use crds::gpu_node::Phase;
use crds::policy::Slot;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};

use super::{NodeSummary, Why};

fn now() -> Timestamp {
    "2026-05-02T01:00:00Z".parse().unwrap()
}

/// A policy with these rules for maintenance.
fn policy(maintenance: Value) -> GpuSharingPolicy {
    let object = json!({
        "apiVersion": "gpusharing.dev/v1alpha1", "kind": "GpuSharingPolicy",
        "metadata": {"name": "p", "uid": "u", "generation": 3},
        "spec": {"strategy": {"type": "Exclusive"}, "maintenance": maintenance},
    });
    serde_json::from_value(object).unwrap()
}

fn with_slots(mut policy: GpuSharingPolicy, slots: Vec<Slot>) -> GpuSharingPolicy {
    policy.status.get_or_insert_default().slots = slots;
    policy
}

fn slot(node: &str, operation: i64) -> Slot {
    Slot {
        node: node.to_owned(),
        uid: format!("uid-{node}"),
        operation,
        since: Time(now()),
    }
}

/// A node in sync.
fn node(name: &str) -> NodeSummary {
    NodeSummary {
        name: name.to_owned(),
        uid: format!("uid-{name}"),
        won: true,
        topology: None,
        unavailable: false,
        gpus: 2,
        phase: Phase::InSync,
        waiting: None,
        operation_id: 7,
        attempts: 0,
        pending_since: None,
        history: Vec::new(),
        problem: None,
    }
}

/// A node that waits for this reason since so many seconds after midnight.
fn waiting(name: &str, reason: &str, since: i64) -> NodeSummary {
    NodeSummary {
        phase: Phase::Pending,
        waiting: Some(Why {
            reason: reason.to_owned(),
            message: format!("{name} waits"),
        }),
        pending_since: Timestamp::from_second(since).ok(),
        ..node(name)
    }
}

fn busy(name: &str, phase: Phase, operation: i64) -> NodeSummary {
    NodeSummary {
        phase,
        operation_id: operation,
        unavailable: true,
        ..node(name)
    }
}
