//! What a node's agent sees and does.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, MicroTime};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{GpuStatus, MigTarget, MpsDaemon, PlacedProfile, SharingTarget};

/// What a node's agent sees and does.
#[derive(KubeSchema, Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct AgentStatus {
    /// The kernel's boot id. GPU instances do not survive a change of it.
    pub boot_id: String,
    /// The driver's version. Empty while there is no driver.
    #[serde(default)]
    pub driver_version: String,
    /// For people: what `kubectl get gpunodes` prints.
    #[serde(default)]
    pub summary: Summary,
    /// The GPUs, by index.
    #[serde(default)]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    #[schemars(length(max = 32))]
    pub gpus: Vec<GpuStatus>,
    /// The agent's side of the latest operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "AgentOperation")]
    pub operation: Option<AgentOperation>,
    /// The node's MPS control daemon. Unset: the agent is not allowed to run one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "MpsDaemon")]
    pub mps: Option<MpsDaemon>,
    /// `Ready`: the driver answers and the holders are known. `Drifted`: the GPUs are not as last verified. `ModesSettled`:
    /// no MIG mode waits for a reset (`ModePending`), and none was asked for that needs a reboot (`RebootRequired`).
    /// `ForeignInstances`: somebody else has made instances; the message names them and says how they are adopted.
    /// `JournalLost`: what the agent made before is not known. `MpsServing`: whether the MPS daemon serves what it should,
    /// and why it does not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
}

/// A node's GPUs in few words.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Summary {
    /// The product, or several joined by commas.
    pub product: String,
    /// How many GPUs.
    pub gpus: i32,
    /// The layout of each GPU, such as `3g.20gb+2x1g.5gb`; alike GPUs are written once, with their number.
    pub layout: String,
}

/// The agent's side of an operation.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentOperation {
    /// The operation that this is about.
    pub id: i64,
    /// How far it is.
    pub stage: AgentStage,
    /// When the agent last looked, while the operation is under way.
    pub beat: MicroTime,
    /// What went wrong, or what is in the way: a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub error: Option<String>,
    /// What the GPUs were before the first destructive step: where a failed operation goes back to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub previous: Vec<PreviousGpu>,
}

/// How far the agent is with an operation. From `Destroying` on, the only ways out are the target, the layout before,
/// or a person.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, Hash, JsonSchema)]
pub enum AgentStage {
    /// The target can be had; nothing has been changed.
    Ready,
    /// Nothing has been changed, and nothing will be: see `error`.
    Refused,
    /// About to destroy, or destroying: the point of no return.
    Destroying,
    /// Creating what the target asks for.
    Creating,
    /// The target is reached and read back.
    Done,
    /// A step failed; the layout from before is back and read back.
    RolledBack,
    /// A step failed, and so did going back. The GPUs are in an unknown state.
    Failed,
}

/// A GPU before an operation.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreviousGpu {
    /// The GPU's UUID.
    pub uuid: String,
    /// Its slices.
    pub mig: MigTarget,
    /// Instances of others that were no whole devices: divided, or without a compute instance. Those that an operation
    /// takes away come back as one device each: what was in them is not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub divided: Vec<DividedInstance>,
    /// How the agent's MPS daemon served it. Unset: it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "SharingTarget")]
    pub mps: Option<SharingTarget>,
}

/// An instance that was no whole device.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DividedInstance {
    /// Profile and place.
    pub at: PlacedProfile,
    /// UUIDs of the MIG devices that were in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<String>,
}
