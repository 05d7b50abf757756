//! `GpuSharingPolicy`: how the GPUs of a group of nodes are shared, and when they may be changed.

mod drain;
mod maintenance;
mod mig;
mod selection;
mod status;
mod strategy;
mod window;
mod workload;

pub use drain::{CompletionWait, DrainScope, DrainSettings, OnDrainTimeout};
pub use maintenance::{Canary, Maintenance, OnForeignCordon, OnMpsCrashLoop, OnWindowClose};
pub use mig::{Advertise, Mig, MigPreset, ProductLayout, SliceTimeSlicing};
pub use selection::{GpuOverride, GpuSelection};
pub use status::{
    GpuSharingPolicyStatus, GpuTotals, MaintenanceInstance, NodeTotals, Slot, WaitingNodes,
};
pub use strategy::{Mps, Strategy, StrategyType, TimeSlicing};
pub use window::{Blackout, Day, MaintenanceWindow};
pub use workload::{Isolation, Pattern, Workload};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use crate::schema::label_selector;

/// How the GPUs of the selected nodes are shared, and when they may be changed.
#[derive(CustomResource, KubeSchema, Clone, Debug, Deserialize, Serialize, PartialEq)]
#[kube(
    group = "gpusharing.dev",
    version = "v1alpha1",
    kind = "GpuSharingPolicy",
    plural = "gpusharingpolicies",
    status = "GpuSharingPolicyStatus",
    shortname = "gsp",
    category = "gpusharing",
    derive = "PartialEq",
    doc = "GpuSharingPolicy says how the GPUs of a group of nodes are shared, and when they may be changed.",
    validation = Rule::new("self.metadata.name.size() <= 63")
        .message("metadata.name must be at most 63 characters: it becomes the value of a node label"),
    printcolumn(name = "Strategy", type_ = "string", json_path = ".spec.strategy.type"),
    printcolumn(name = "Nodes", type_ = "integer", json_path = ".status.nodes.matched"),
    printcolumn(name = "InSync", type_ = "integer", json_path = ".status.nodes.inSync"),
    printcolumn(name = "Maintenance", type_ = "integer", json_path = ".status.nodes.inMaintenance"),
    printcolumn(name = "Next-Window", type_ = "string", json_path = ".status.nextWindow.start"),
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[x_kube(
    validation = Rule::new("self.strategy.type != 'Auto' || has(self.workload)")
        .message("must be set with strategy Auto, which decides by what the workloads need")
        .field_path(".workload")
)]
#[serde(rename_all = "camelCase")]
pub struct GpuSharingPolicySpec {
    /// The highest priority wins where several policies select a node; then the oldest, then the first by name.
    /// From -1000 to 1000, default 0.
    #[serde(default)]
    #[schemars(range(min = -1000, max = 1000))]
    pub priority: i32,
    /// The nodes that this policy is for, by their labels. Unset or empty: every node with GPUs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "label_selector")]
    pub node_selector: Option<LabelSelector>,
    /// How the GPUs of these nodes are shared: `type`, and the member of the same name with its settings. `Exclusive`
    /// and `Auto` have none.
    // Owned as a whole: whoever applies another type replaces the member of the old type, too.
    #[x_kube(merge_strategy = MapMerge::Atomic)]
    pub strategy: Strategy,
    /// Other strategies for some of a node's GPUs. The first match wins; the rest follow `strategy`. At most 8.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    #[schemars(length(max = 8))]
    pub overrides: Vec<GpuOverride>,
    /// When and how nodes may be taken out of service for a change.
    #[serde(default)]
    pub maintenance: Maintenance,
    /// What the workloads need. `Auto` decides by it; every other strategy is checked against it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Workload")]
    pub workload: Option<Workload>,
    /// Take the nodes over from NVIDIA's MIG Manager. Default false: such nodes are left alone.
    #[serde(default)]
    pub take_over: bool,
    /// Start nothing new; nodes under way finish. Default false.
    #[serde(default)]
    pub paused: bool,
    /// Plan and report, and touch nothing. Default false.
    #[serde(default)]
    pub dry_run: bool,
}
