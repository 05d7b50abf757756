//! Where the operator is with a node.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, MicroTime, Time};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ChangeClass, MigTarget, Target};
use crate::policy::{DrainSettings, OnWindowClose};

/// Where the operator is with a node.
#[derive(KubeSchema, Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct MaintenanceStatus {
    /// What is being done.
    #[serde(default)]
    pub phase: Phase,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "MicroTime")]
    pub phase_since: Option<MicroTime>,
    /// For people: the strategy in effect or, before it is reached, the one that is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub strategy: Option<String>,
    /// The latest operation. 0: there has been none.
    #[serde(default)]
    pub operation_id: i64,
    /// UID of the node that all this is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub node_uid: Option<String>,
    /// When the operation began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "MicroTime")]
    pub started_at: Option<MicroTime>,
    /// When the phase is given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Time")]
    pub deadline: Option<Time>,
    /// Operations in a row that did not succeed.
    #[serde(default)]
    pub attempts: i32,
    /// Nothing is tried before this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Time")]
    pub next_attempt: Option<Time>,
    /// A person's `gpusharing.dev/retry` annotation as last acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub retry_seen: Option<String>,
    /// What of the MPS daemon was heard and told already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "MpsHeard")]
    pub mps_heard: Option<MpsHeard>,
    /// What is waited for, until when, and what happens then: a sentence. Unset: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub waiting_for: Option<String>,
    /// Who has left and who has not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "DrainReport")]
    pub drain: Option<DrainReport>,
    /// What the operation changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "OperationPlan")]
    pub plan: Option<OperationPlan>,
    /// The rules that the operation began with; a policy that is edited meanwhile does not change them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "OperationSnapshot")]
    pub snapshot: Option<OperationSnapshot>,
    /// What the device plugin is told to use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "PluginConfigStatus")]
    pub plugin_config: Option<PluginConfigStatus>,
    /// The target that was last reached and verified: what the node goes back to when an operation is rolled back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Target")]
    pub verified: Option<Target>,
    /// How the operation under way will be entered in `history`. Unset: it may still succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Outcome")]
    pub outcome: Option<Outcome>,
    /// How long the operation under way has spent in the phases that are over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub durations: Vec<PhaseDuration>,
    /// `Synced`, `MaintenancePending`, `Cordoned`, `Drained`, `DrainBlocked`, `Repartitioned`, `Validated`,
    /// `Quarantined`, `HeldByUser`; where MPS has lost clients, `MpsClientsCutOff`; where NVIDIA's own MPS daemon has come to a
    /// node that is served, `MpsContested`. What their reasons mean: `kubectl gpusharing reasons`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// The last five operations, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub history: Vec<HistoryEntry>,
}

/// What is being done with a node.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    Deserialize,
    Serialize,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    JsonSchema,
)]
pub enum Phase {
    /// No policy selects the node: its GPUs are left as they are.
    #[default]
    Unmanaged,
    /// The GPUs are as the policy says, read back from NVML and seen by the scheduler.
    InSync,
    /// A change is wanted and waits: see `waitingFor`.
    Pending,
    /// The agent checks the target and reads who holds the devices. Nothing has been touched.
    Preparing,
    /// The node is being cordoned.
    Cordoning,
    /// Pods that were promised to finish are waited for.
    WaitingJobs,
    /// Pods on affected devices are being evicted.
    Draining,
    /// The agent changes the GPUs.
    Repartitioning,
    /// A step failed; the agent restores the layout from before.
    RollingBack,
    /// The new devices are waited for in the node's allocatable resources.
    Validating,
    /// The node is being uncordoned.
    Uncordoning,
    /// The operation is being undone: nothing had been changed.
    Releasing,
    /// The GPUs are in a state that a person must look at; the node stays cordoned.
    Quarantined,
}

/// Who has left a node and who has not.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DrainReport {
    /// Pods evicted by this operation.
    pub evicted: Vec<PodReference>,
    /// Pods that are still there.
    pub remaining: Vec<PodReference>,
    /// Pods that cannot be evicted now, and why.
    pub blocked: Vec<BlockedPod>,
    /// Since when nobody who must leave has been seen. Unset: somebody is still there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "MicroTime")]
    pub quiet_since: Option<MicroTime>,
}

/// A pod, by all that tells it from its successors.
#[derive(
    Clone, Debug, Deserialize, Serialize, PartialEq, Eq, Hash, PartialOrd, Ord, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub struct PodReference {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// UID.
    pub uid: String,
}

/// A pod that cannot be evicted, and why.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BlockedPod {
    /// Namespace and name, `namespace/name`.
    pub pod: String,
    /// One word: `DisruptionBudget`, `MultipleDisruptionBudgets`, `NoController`, `EmptyDir`, `DoNotEvict`,
    /// `NotSelected`, `DaemonSet`, `MirrorPod`, `UnknownProcess`, `Throttled`, `Forbidden`, `Error`; and, where waiting
    /// alone does not help, `HopelessDisruptionBudget`, `StuckTerminating`.
    pub reason: String,
    /// A sentence; names the budget if one is in the way.
    pub message: String,
}

/// What an operation changes.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OperationPlan {
    /// How much it disturbs.
    pub class: ChangeClass,
    /// GPU by GPU; only those that change.
    pub gpus: Vec<GpuPlan>,
    /// Pods that will be evicted, `namespace/name`.
    pub victims: Vec<String>,
    /// Pods with a GPU that stay untouched, `namespace/name`.
    pub untouched: Vec<String>,
    /// Those of `victims` whose annotation `gpusharing.dev/do-not-evict` cannot be read and so protects nothing:
    /// `namespace/name: "text"`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unprotected: Vec<String>,
}

/// What an operation changes on one GPU.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GpuPlan {
    /// The GPU's NVML index.
    pub index: i32,
    /// The GPU's UUID.
    pub uuid: String,
    /// Before, in few words, such as `7x1g.5gb` or `whole`.
    pub before: String,
    /// After, in few words.
    pub after: String,
    /// Slices before.
    pub from: MigTarget,
    /// Slices after.
    pub to: MigTarget,
    /// Instances that stay.
    pub kept: i32,
    /// Instances that are destroyed.
    pub destroyed: i32,
    /// Instances that are created.
    pub created: i32,
}

/// The rules that an operation began with.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OperationSnapshot {
    /// The policy's name.
    pub policy: String,
    /// The policy's UID.
    pub policy_uid: String,
    /// The generation of its spec.
    pub generation: i64,
    /// Its drain rules.
    pub drain: DrainSettings,
    /// Its rule for a window that closes.
    pub on_window_close: OnWindowClose,
}

/// What of an MPS daemon was heard, told and answered for already: moments as the agent gave them.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MpsHeard {
    /// Its latest death, or that of a server of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "MicroTime")]
    pub death: Option<MicroTime>,
    /// When it was last started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "MicroTime")]
    pub started_at: Option<MicroTime>,
    /// When it was given up, once the node was quarantined for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "MicroTime")]
    pub given_up: Option<MicroTime>,
}

/// What the device plugin is told to use.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginConfigStatus {
    /// Key in the `ConfigMap`, and value of the node's label.
    pub key: String,
    /// The operation that chose it: every operation chooses a key that differs from the one before, because the
    /// plugin reads the devices afresh only when the label changes.
    pub operation_id: i64,
    /// When the plugin's pods on the node were deleted because they had not taken it in time. Unset: they were not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "MicroTime")]
    pub restarted_at: Option<MicroTime>,
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, Hash, JsonSchema)]
pub enum OperationResult {
    /// The target was reached.
    Succeeded,
    /// Nothing was changed: it was not needed any more, or its time was over.
    Released,
    /// Nothing was changed: something stood in the way.
    Failed,
    /// A step failed; the GPUs are as they were before.
    RolledBack,
    /// The GPUs were left in a state that a person must look at.
    Quarantined,
}

/// How an operation ended, and why.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// How it ended.
    pub result: OperationResult,
    /// One word for why.
    pub reason: String,
    /// A sentence for why.
    pub message: String,
}

/// An operation that is over.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// Its id.
    pub id: i64,
    /// How it ended.
    pub result: OperationResult,
    /// One word for why.
    pub reason: String,
    /// A sentence for why.
    pub message: String,
    /// When it began.
    pub started_at: MicroTime,
    /// When it was over.
    pub finished_at: MicroTime,
    /// How long each phase took.
    pub durations: Vec<PhaseDuration>,
}

/// How long a phase took.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PhaseDuration {
    /// The phase.
    pub phase: Phase,
    /// Milliseconds.
    pub milliseconds: i64,
}
