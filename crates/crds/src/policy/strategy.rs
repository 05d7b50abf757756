//! The ways to share a GPU: a union of `type` and one member per variant.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Mig;
use crate::MemoryText;

/// Which way the GPUs are shared.
#[derive(
    Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, Hash, PartialOrd, Ord, JsonSchema,
)]
pub enum StrategyType {
    /// One pod per GPU.
    Exclusive,
    /// Several pods take turns on a GPU. Nothing keeps their memory or their faults apart.
    TimeSlicing,
    /// Several pods run on a GPU at once through CUDA MPS. Limits hold at the CUDA API; one fatal fault ends all.
    #[serde(rename = "MPS")]
    Mps,
    /// The hardware cuts a GPU into slices with their own memory, cache and faults.
    #[serde(rename = "MIG")]
    Mig,
    /// Chosen among the others from `spec.workload`.
    Auto,
}

/// How GPUs are shared: `type`, and the member of the same name with its settings. `Exclusive` and `Auto` have none.
#[derive(KubeSchema, Clone, Debug, Deserialize, Serialize, PartialEq)]
#[x_kube(
    validation = Rule::new("self.type == 'TimeSlicing' ? has(self.timeSlicing) : !has(self.timeSlicing)")
        .message("must be set with type TimeSlicing, and only then, for example {replicas: 4}; inside MIG slices: mig.timeSlicing")
        .field_path(".timeSlicing"),
    validation = Rule::new("self.type == 'MPS' ? has(self.mps) : !has(self.mps)")
        .message("must be set with type MPS, and only then, for example {replicas: 4}").field_path(".mps"),
    validation = Rule::new("self.type == 'MIG' ? has(self.mig) : !has(self.mig)")
        .message("must be set with type MIG, and only then, for example {preset: Balanced} or {layout: {1g.5gb: 7}}").field_path(".mig")
)]
#[serde(rename_all = "camelCase")]
pub struct Strategy {
    /// `Exclusive`: one pod per GPU. `TimeSlicing`: pods take turns, nothing isolates them. `MPS`: pods run at once,
    /// limited at the CUDA API. `MIG`: hardware slices. `Auto`: chosen from `spec.workload`.
    pub r#type: StrategyType,
    /// Settings of `type: TimeSlicing`: how many pods share one GPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "TimeSlicing")]
    pub time_slicing: Option<TimeSlicing>,
    /// Settings of `type: MPS`: how many pods share one GPU, and what each may use of it, the same for all of them. Limits
    /// of one tenant among others cannot be enforced: MPS has limits of a daemon, of a server, which all pods with one user
    /// id on the node share, and of a client's environment (`CUDA_MPS_PINNED_DEVICE_MEM_LIMIT`,
    /// `CUDA_MPS_ACTIVE_THREAD_PERCENTAGE`), which a process can take out of its own. In compute mode `EXCLUSIVE_PROCESS` no
    /// second daemon can have the same GPU, and NVIDIA's device plugin gives all pods of a resource one pipe directory. A
    /// tenant that needs limits of its own needs nodes and a policy of its own, or MIG.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Mps")]
    pub mps: Option<Mps>,
    /// Settings of `type: MIG`: which slices each GPU is cut into. Exactly one of `layout` and `preset`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Mig")]
    pub mig: Option<Mig>,
}

/// Pods take turns on whole GPUs.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TimeSlicing {
    /// How many pods may share one GPU, 2 to 48. The node advertises so many `nvidia.com/gpu` for each GPU.
    #[schemars(range(min = 2, max = 48))]
    pub replicas: i32,
    /// Advertise `nvidia.com/gpu.shared` instead of `nvidia.com/gpu`. Default false.
    #[serde(default)]
    pub rename_by_default: bool,
    /// Refuse pods that ask for more than one replica: two replicas are no more compute than one. Default true.
    #[serde(default = "yes")]
    pub fail_requests_greater_than_one: bool,
}

/// Pods run on whole GPUs at once, through the CUDA Multi-Process Service.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Mps {
    /// How many pods may share one GPU, 2 to 48 (16 before compute capability 7.5).
    #[schemars(range(min = 2, max = 48))]
    pub replicas: i32,
    /// Share of the GPU's threads that one client may use, in percent, 1 to 100. Unset: 100 divided by `replicas`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "i32", range(min = 1, max = 100))]
    pub active_thread_percentage: Option<i32>,
    /// GPU memory that one client may allocate, such as `8Gi`. Unset: the GPU's memory divided by `replicas`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "MemoryText")]
    pub memory_limit: Option<MemoryText>,
    /// Allow `replicas` times `memoryLimit` to exceed the GPU's memory. Default false.
    #[serde(default)]
    pub allow_memory_oversubscription: bool,
}

pub(super) const fn yes() -> bool {
    true
}
