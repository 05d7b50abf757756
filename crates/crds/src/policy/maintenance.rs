//! When and how nodes may be taken out of service.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Blackout, DrainSettings, MaintenanceWindow};
use crate::schema::label_key;
use crate::{DurationText, NodeCount};

/// When and how nodes may be taken out of service for a change.
#[derive(KubeSchema, Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Maintenance {
    /// When changes that disturb pods may begin: any of these. None: at any time. At most 16.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    #[schemars(length(max = 16))]
    pub windows: Vec<MaintenanceWindow>,
    /// When nothing may begin, whatever the windows say. At most 32.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    #[schemars(length(max = 32))]
    pub blackouts: Vec<Blackout>,
    /// Start nothing with less than this left of the window, such as `20m`. Unset: the most that an operation can
    /// need (the drain's timeout, that of waitForCompletion, and 12 minutes).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "DurationText")]
    pub min_remaining: Option<DurationText>,
    /// When the window closes under an operation: `Abort` (default) undoes what has not destroyed anything yet,
    /// `Finish` goes on.
    #[serde(default)]
    pub on_window_close: OnWindowClose,
    /// How many of the selected nodes may be out of service at once: a number such as `2`, or a percentage such as
    /// `25%`, rounded down to no less than one. Nodes that are cordoned or not ready count. Default 1; 0 admits nobody.
    #[serde(default)]
    pub max_unavailable: NodeCount,
    /// A node label such as `topology.kubernetes.io/zone`: nodes of one value at a time. Unset: no such limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "label_key")]
    pub topology_key: Option<String>,
    /// Change these nodes first, then wait. Unset: no canary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Canary")]
    pub canary: Option<Canary>,
    /// How pods are evicted. A pod that may not be evicted by these rules stops the operation before the node is
    /// cordoned.
    #[serde(default)]
    pub drain: DrainSettings,
    /// A node that somebody else has cordoned: `Proceed` (default; it stays cordoned afterwards) or `Skip`.
    #[serde(default)]
    pub on_foreign_cordon: OnForeignCordon,
    /// A node whose MPS daemon died too often: `Quarantine` (default) cordons it, `Evict` also evicts the pods that have a
    /// GPU of the daemon, and no others, by the rules of `drain` and at once, whatever the windows say.
    #[serde(default)]
    pub on_mps_crash_loop: OnMpsCrashLoop,
    /// Stop starting operations after so many failures in a row, 1 to 100. Default 3. Nothing is started
    /// either while more than 20 % of the nodes, rounded up to whole nodes, are quarantined.
    #[serde(default = "three")]
    #[schemars(range(min = 1, max = 100))]
    pub halt_after_failures: i32,
}

impl Default for Maintenance {
    fn default() -> Self {
        Self {
            windows: Vec::new(),
            blackouts: Vec::new(),
            min_remaining: None,
            on_window_close: OnWindowClose::default(),
            max_unavailable: NodeCount::default(),
            topology_key: None,
            canary: None,
            drain: DrainSettings::default(),
            on_foreign_cordon: OnForeignCordon::default(),
            on_mps_crash_loop: OnMpsCrashLoop::default(),
            halt_after_failures: three(),
        }
    }
}

const fn three() -> i32 {
    3
}

/// What happens to an operation when its window closes.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
pub enum OnWindowClose {
    /// What has not destroyed anything yet is undone; what has, finishes.
    #[default]
    Abort,
    /// Operations under way finish.
    Finish,
}

/// What happens to a node that somebody else has cordoned.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
pub enum OnForeignCordon {
    /// The node is changed and stays cordoned afterwards.
    #[default]
    Proceed,
    /// The node is left alone until it is uncordoned.
    Skip,
}

/// What happens to a node whose MPS daemon died too often and stays down.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
pub enum OnMpsCrashLoop {
    /// The node is cordoned; its pods stay.
    #[default]
    Quarantine,
    /// The same, and the pods that have a GPU of the daemon are evicted.
    Evict,
}

/// Some nodes first.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Canary {
    /// How many nodes go first, 1 to 1000.
    #[schemars(range(min = 1, max = 1000))]
    pub nodes: i32,
    /// How long they must stay in sync before the others follow, such as `10m`.
    pub soak: DurationText,
}
