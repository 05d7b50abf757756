//! How pods are evicted from a node.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::DurationText;
use crate::schema::label_selector;

/// How pods are evicted. A pod that may not be evicted by these rules stops the operation before the node is cordoned.
#[derive(KubeSchema, Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct DrainSettings {
    /// Who must leave: `AffectedDevices` (default) the pods on GPUs or slices that the change touches, `GpuPods` all
    /// pods with a GPU, `Node` all pods.
    #[serde(default)]
    pub scope: DrainScope,
    /// How long a drain may take in all, such as `30m`. Default `10m`.
    #[serde(default = "ten_minutes")]
    pub timeout: DurationText,
    /// When it takes longer: `Release` (default) uncordons and tries again later, `KeepCordoned` waits for a person,
    /// `Force` deletes the pods past their disruption budgets, if the chart has `operator.allowForce`; else it releases.
    #[serde(default)]
    pub on_timeout: OnDrainTimeout,
    /// Seconds that an evicted pod gets to end, 1 to 86400. Unset: each pod's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "i64", range(min = 1, max = 86400))]
    pub grace_period_seconds: Option<i64>,
    /// Evict pods that use emptyDir volumes; their content is lost. Default false: such pods block.
    #[serde(default)]
    pub delete_empty_dir_data: bool,
    /// Evict pods without a controller; nobody re-creates them. Default false: such pods block.
    #[serde(default)]
    pub force: bool,
    /// Pods that may be evicted, by their labels; others block. Unset: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "label_selector")]
    pub pod_selector: Option<LabelSelector>,
    /// Pods that are let finish their work before any eviction. Unset: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "CompletionWait")]
    pub wait_for_completion: Option<CompletionWait>,
}

impl Default for DrainSettings {
    fn default() -> Self {
        Self {
            scope: DrainScope::default(),
            timeout: ten_minutes(),
            on_timeout: OnDrainTimeout::default(),
            grace_period_seconds: None,
            delete_empty_dir_data: false,
            force: false,
            pod_selector: None,
            wait_for_completion: None,
        }
    }
}

fn ten_minutes() -> DurationText {
    "10m".into()
}

/// Whom a drain is for.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
pub enum DrainScope {
    /// Pods that hold a GPU or slice which the change touches.
    #[default]
    AffectedDevices,
    /// Every pod that holds a GPU or slice.
    GpuPods,
    /// Every pod that `kubectl drain` would evict.
    Node,
}

/// What happens when a drain takes longer than its timeout.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
pub enum OnDrainTimeout {
    /// The node is uncordoned and tried again later.
    #[default]
    Release,
    /// The node stays cordoned until a person decides.
    KeepCordoned,
    /// The pods that remain are deleted, past their disruption budgets.
    Force,
}

/// Pods that are waited for.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CompletionWait {
    /// Which pods of the node, by their labels. Empty: all but those of `DaemonSets` and static ones, which never finish.
    #[schemars(schema_with = "label_selector")]
    pub pod_selector: LabelSelector,
    /// How long at the most, such as `4h`; then the drain begins, and evicts those of them that must leave.
    pub timeout: DurationText,
}
