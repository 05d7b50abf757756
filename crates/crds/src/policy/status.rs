//! What the operator reports about a policy, and the slots by which it limits concurrency.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the operator reports about a policy.
#[derive(KubeSchema, Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct GpuSharingPolicyStatus {
    /// The generation of the spec that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "i64")]
    pub observed_generation: Option<i64>,
    /// `Valid`, `Ready`, `Progressing`, `WindowOpen`, `RolloutHalted`. What their reasons mean: `kubectl gpusharing reasons`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// Nodes by what they are doing.
    #[serde(default)]
    pub nodes: NodeTotals,
    /// GPUs of the matched nodes.
    #[serde(default)]
    pub gpus: GpuTotals,
    /// Nodes that may be out of service now. This list is the lock: a node starts only while it is in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub slots: Vec<Slot>,
    /// The window that is open, or the next one. Unset: none is configured, or none will ever open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "MaintenanceInstance")]
    pub next_window: Option<MaintenanceInstance>,
    /// Why nodes wait, one entry per reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub waiting: Vec<WaitingNodes>,
}

/// Numbers of nodes.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeTotals {
    /// Nodes that this policy is in effect for.
    pub matched: i32,
    /// Verified to be as the policy says.
    pub in_sync: i32,
    /// To be changed, and waiting.
    pub pending: i32,
    /// Being changed.
    pub in_maintenance: i32,
    /// Kept cordoned because their GPUs are in a state that a person must look at.
    pub quarantined: i32,
}

/// Numbers of GPUs.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct GpuTotals {
    /// GPUs of the matched nodes.
    pub total: i32,
    /// Of these, on nodes that are in sync.
    pub in_sync: i32,
}

/// The right of one node to be out of service for one operation.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Slot {
    /// The node's name.
    pub node: String,
    /// The node's UID: a node that was deleted and made anew has no claim to the slot.
    pub uid: String,
    /// The operation that the slot is for.
    pub operation: i64,
    /// When it was granted.
    pub since: Time,
}

/// One instance of a maintenance window.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MaintenanceInstance {
    /// When it opens.
    pub start: Time,
    /// When it closes.
    pub end: Time,
}

/// Nodes that wait for the same reason.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WaitingNodes {
    /// One word, as in the nodes' conditions.
    pub reason: String,
    /// A sentence from one of the nodes.
    pub message: String,
    /// How many nodes.
    pub count: i32,
    /// The first ten of them, by name.
    pub nodes: Vec<String>,
}
