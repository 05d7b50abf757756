//! `GpuNode`: the GPUs of one node, what they should be, what they are, and what is being done about it.
#![expect(
    clippy::duplicated_attributes,
    reason = "each printer column has a type and a path of its own"
)]

mod agent;
mod inventory;
mod maintenance;
mod mps;
mod target;

pub use agent::{AgentOperation, AgentStage, AgentStatus, DividedInstance, PreviousGpu, Summary};
pub use inventory::{
    ComputeMode, GpuProcess, GpuStatus, Holder, MigInstance, MigMode, MigModeStatus, Placement,
    ProfileOffer,
};
pub use maintenance::{
    BlockedPod, DrainReport, GpuPlan, HistoryEntry, MaintenanceStatus, MpsHeard, OperationPlan,
    OperationResult, OperationSnapshot, Outcome, Phase, PhaseDuration, PluginConfigStatus,
    PodReference,
};
pub use mps::{MpsDaemon, MpsDeath, MpsProcess, MpsState};
pub use target::{
    ChangeClass, GpuTarget, MigTarget, MpsTarget, Operation, OperationStage, PlacedProfile,
    PolicyReference, ReplicaRules, SharingTarget, Target,
};

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a node's GPUs should be, and what the agent is asked to do. Written by the operator.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[kube(
    group = "gpusharing.dev",
    version = "v1alpha1",
    kind = "GpuNode",
    plural = "gpunodes",
    status = "GpuNodeStatus",
    shortname = "gn",
    category = "gpusharing",
    derive = "PartialEq",
    doc = "GpuNode is the GPUs of the node of the same name: what they should be, what they are, and what is being done about the difference.",
    printcolumn(
        name = "Product",
        type_ = "string",
        json_path = ".status.agent.summary.product"
    ),
    printcolumn(
        name = "GPUs",
        type_ = "integer",
        json_path = ".status.agent.summary.gpus"
    ),
    printcolumn(
        name = "Strategy",
        type_ = "string",
        json_path = ".status.maintenance.strategy"
    ),
    printcolumn(
        name = "Layout",
        type_ = "string",
        json_path = ".status.agent.summary.layout"
    ),
    printcolumn(
        name = "Phase",
        type_ = "string",
        json_path = ".status.maintenance.phase"
    ),
    printcolumn(
        name = "Waiting-For",
        type_ = "string",
        json_path = ".status.maintenance.waitingFor"
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    )
)]
#[serde(rename_all = "camelCase")]
pub struct GpuNodeSpec {
    /// The policy that the target comes from. Unset: no policy selects this node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "PolicyReference")]
    pub policy: Option<PolicyReference>,
    /// What every GPU of the node should be. Unset: nothing is asked for, the GPUs are left as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Target")]
    pub target: Option<Target>,
    /// The operation that the agent takes part in. Unset: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Operation")]
    pub operation: Option<Operation>,
}

/// What the node's GPUs are, and what is being done about the difference.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GpuNodeStatus {
    /// What the node's agent sees and does. Written by that agent and nobody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "AgentStatus")]
    pub agent: Option<AgentStatus>,
    /// Where the operator is with this node. Written by the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "MaintenanceStatus")]
    pub maintenance: Option<MaintenanceStatus>,
}
