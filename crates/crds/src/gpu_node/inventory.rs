//! The GPUs of a node as NVML and the kubelet report them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SharingTarget;

/// One GPU.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GpuStatus {
    /// NVML's index.
    pub index: i32,
    /// NVML's UUID, `GPU-…`.
    pub uuid: String,
    /// NVML's product name, such as `NVIDIA A100-SXM4-40GB`.
    pub product: String,
    /// Memory in MiB.
    #[serde(rename = "memoryMiB")]
    pub memory_mib: i64,
    /// CUDA compute capability, such as `8.0`. Unset: not reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub compute_capability: Option<String>,
    /// Whether the GPU is cut into slices.
    pub mig: MigModeStatus,
    /// The GPU instances, by start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instances: Vec<MigInstance>,
    /// The profiles that the driver offers. Empty: no MIG, or the driver lists none while MIG mode is off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<ProfileOffer>,
    /// NVML compute mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ComputeMode")]
    pub compute_mode: Option<ComputeMode>,
    /// How the agent's MPS daemon serves this GPU: limits that it was told and that were read back. While a daemon that
    /// has died is being started again this stands, and `status.agent.mps.state` says so. Unset: none serves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "SharingTarget")]
    pub mps: Option<SharingTarget>,
    /// Containers to which the kubelet has given this GPU or a slice of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holders: Vec<Holder>,
    /// Processes that NVML sees on this GPU or a slice of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub processes: Vec<GpuProcess>,
}

/// MIG mode: what is, and what will be after a reset. They differ while a change is pending.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MigModeStatus {
    /// The mode in effect.
    pub current: MigMode,
    /// The mode after the next reset.
    pub pending: MigMode,
}

/// MIG mode of a GPU.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, Hash, JsonSchema)]
pub enum MigMode {
    /// The product has no MIG.
    NotSupported,
    /// Off: the GPU is whole.
    Disabled,
    /// On: pods get slices.
    Enabled,
}

/// NVML compute mode of a GPU.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, Hash, JsonSchema)]
pub enum ComputeMode {
    /// Several processes at once.
    Default,
    /// None.
    Prohibited,
    /// One process at a time (MPS: its server).
    ExclusiveProcess,
}

/// A GPU instance.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MigInstance {
    /// Profile name, such as `3g.20gb`.
    pub profile: String,
    /// First memory slice, from 0.
    pub start: i32,
    /// Memory slices.
    pub size: i32,
    /// UUID of the MIG device, `MIG-…`: the compute instance that fills the instance. Unset: there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub uuid: Option<String>,
    /// UUIDs of the MIG devices of an instance that somebody has divided: its compute instances, if they are several or
    /// do not fill it. Empty: it has none, or the one that is in `uuid`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<String>,
    /// Whether the agent made it, and nobody has divided it since. Others are left alone unless the policy says
    /// `mig.adopt`.
    pub owned: bool,
}

impl MigInstance {
    /// UUIDs of its MIG devices: all that a pod or a process can be on.
    pub fn devices(&self) -> impl Iterator<Item = &String> {
        self.uuid.iter().chain(&self.parts)
    }
}

/// A profile that the driver offers for a GPU.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProfileOffer {
    /// Name, such as `3g.20gb`.
    pub name: String,
    /// The id that NVML creates instances by; neither the index of its list nor part of the name.
    pub id: i32,
    /// Compute slices.
    pub slices: i32,
    /// The most instances of this profile on an empty GPU.
    pub max: i32,
    /// Memory of one instance in MiB.
    #[serde(rename = "memoryMiB")]
    pub memory_mib: i64,
    /// Where an instance may stand, in memory slices.
    pub placements: Vec<Placement>,
}

/// A place in memory slices.
#[derive(
    Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, Hash, PartialOrd, Ord, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub struct Placement {
    /// First slice, from 0.
    pub start: i32,
    /// Number of slices.
    pub size: i32,
}

/// A container that holds a device, by the kubelet's account.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Holder {
    /// The pod's namespace.
    pub namespace: String,
    /// The pod's name. The kubelet's account has no UID.
    pub pod: String,
    /// The container's name.
    pub container: String,
    /// UUID of the GPU or MIG device, without a replica's suffix.
    pub device: String,
    /// The resource as which the pod has it, such as `nvidia.com/mig-1g.5gb`. Empty: not reported.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub resource: String,
}

/// A process on a GPU.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GpuProcess {
    /// Process id in the host's namespace.
    pub pid: i64,
    /// UUID of the GPU or MIG device. The GPU's own when the instance cannot be told.
    pub device: String,
}
