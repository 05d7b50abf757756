//! What a node's GPUs should be, with exact placements, and the operation that gets them there.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::policy::{Advertise, StrategyType};

/// A policy at one point of its life.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyReference {
    /// The policy's name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// The generation of its spec.
    pub generation: i64,
}

/// What every GPU of a node should be.
#[derive(KubeSchema, Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// One entry per GPU, in the order of their indices.
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    #[schemars(length(max = 32))]
    pub gpus: Vec<GpuTarget>,
    /// Instances that others have made may be destroyed. Default false.
    #[serde(default)]
    pub adopt: bool,
    /// How the device plugin names and hands out replicas; it knows one rule for all GPUs of a node.
    #[serde(default)]
    pub replicas: ReplicaRules,
    /// Under which names the device plugin advertises slices; it knows one way for all GPUs of a node. Default `Mixed`.
    #[serde(default)]
    pub advertise: Advertise,
}

/// How NVIDIA's device plugin names replicas and hands them out.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, Hash, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ReplicaRules {
    /// Advertise `<name>.shared` instead of `<name>`.
    pub rename: bool,
    /// Refuse pods that ask for more than one replica.
    pub fail_requests_greater_than_one: bool,
}

impl Default for ReplicaRules {
    fn default() -> Self {
        Self {
            rename: false,
            fail_requests_greater_than_one: true,
        }
    }
}

/// What one GPU should be.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GpuTarget {
    /// The GPU's UUID as NVML reports it.
    pub uuid: String,
    /// Its NVML index, for people.
    pub index: i32,
    /// Hardware slices.
    pub mig: MigTarget,
    /// How the GPU, or each of its slices, is shared in software.
    pub sharing: SharingTarget,
}

impl GpuTarget {
    /// How MPS is to serve the GPU. None: not at all.
    pub fn through_mps(&self) -> Option<&SharingTarget> {
        let is_mps = self.sharing.r#type == StrategyType::Mps && !self.mig.enabled;
        is_mps.then_some(&self.sharing)
    }
}

/// Whether a GPU is cut into slices, and which.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MigTarget {
    /// Whether MIG mode is on.
    #[serde(default)]
    pub enabled: bool,
    /// The instances, by start. Empty unless MIG mode is on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instances: Vec<PlacedProfile>,
}

/// A GPU instance of a profile at a place.
#[derive(
    Clone, Debug, Deserialize, Serialize, PartialEq, Eq, Hash, PartialOrd, Ord, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub struct PlacedProfile {
    /// First memory slice, from 0.
    pub start: i32,
    /// Profile name, such as `3g.20gb`.
    pub profile: String,
}

/// How a GPU, or each of its slices, is shared in software.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SharingTarget {
    /// The strategy; `Auto` never stands here.
    pub r#type: StrategyType,
    /// How many pods may share the GPU or each slice. 1: not shared.
    pub replicas: i32,
    /// Other numbers for slices of some profiles, by the profile's name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub per_profile: BTreeMap<String, i32>,
    /// What one client may use of the GPU. Set with type `MPS`, and only then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "MpsTarget")]
    pub mps: Option<MpsTarget>,
}

/// What one MPS client may use of a GPU, in exact numbers.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, Hash, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MpsTarget {
    /// Share of the GPU's threads in percent, 1 to 100. A daemon knows one number for all its GPUs.
    pub active_thread_percentage: i32,
    /// GPU memory in MiB. Unset: the GPU does not report its memory, and there is no limit.
    #[serde(
        rename = "memoryLimitMiB",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "i64")]
    pub memory_limit_mib: Option<i64>,
}

impl SharingTarget {
    /// A GPU or slice that one pod has to itself.
    pub const fn exclusive() -> Self {
        Self {
            r#type: StrategyType::Exclusive,
            replicas: 1,
            per_profile: BTreeMap::new(),
            mps: None,
        }
    }

    /// How many pods may share a slice of this profile.
    pub fn replicas_of(&self, profile: &str) -> i32 {
        *self.per_profile.get(profile).unwrap_or(&self.replicas)
    }
}

/// How much a change disturbs.
#[derive(
    Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, Hash, PartialOrd, Ord, JsonSchema,
)]
pub enum ChangeClass {
    /// Nothing differs.
    None,
    /// Only what the device plugin is told: no pod is disturbed, no window is needed.
    ConfigOnly,
    /// Instances are destroyed or created beside others that stay.
    Devices,
    /// Whole GPUs change.
    Gpus,
}

/// One operation on a node.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    /// Grows from one operation of a node to the next.
    pub id: i64,
    /// How much the change disturbs.
    pub class: ChangeClass,
    /// What the agent is asked for.
    pub stage: OperationStage,
}

/// What the operator asks of the agent.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
pub enum OperationStage {
    /// Check the target against the hardware, read the holders afresh and say `Ready` or `Refused`. Change nothing.
    Prepare,
    /// Go ahead: the drain is complete for this operation and nothing new can land.
    Proceed,
    /// Do not begin. An agent that has said `Destroying` before it saw this finishes instead.
    Abort,
}
