//! Which GPUs of a node an override is for.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::Strategy;

/// Another strategy for some of a node's GPUs.
#[derive(KubeSchema, Clone, Debug, Deserialize, Serialize, PartialEq)]
#[x_kube(
    validation = Rule::new("self.strategy.type != 'Auto'")
        .message("must not be Auto in an override: name the strategy")
        .field_path(".strategy.type")
)]
#[serde(rename_all = "camelCase")]
pub struct GpuOverride {
    /// Which GPUs: by index, by product, or both, or so many of them.
    pub gpus: GpuSelection,
    /// How these are shared: as in `spec.strategy`, except `Auto`.
    pub strategy: Strategy,
}

/// GPUs by index, by product, or both; a GPU must match all that is set. Or so many of them, by `count`.
#[derive(KubeSchema, Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[x_kube(
    validation = Rule::new("has(self.indices) || has(self.products) || has(self.count)")
        .message("set indices, products or count: an override must say which GPUs it is for"),
    validation = Rule::new("!(has(self.indices) && has(self.count))")
        .message("must not be set beside indices, which say how many GPUs there are; use count alone or with products")
        .field_path(".count")
)]
#[serde(rename_all = "camelCase")]
pub struct GpuSelection {
    /// GPU indices as NVML (`nvidia-smi -L`) counts them, 0 to 31.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 32), inner(range(min = 0, max = 31)))]
    pub indices: Vec<i32>,
    /// Product names as NVML reports them, `*` for any text, such as `*A100*`. 1 to 8.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 8), inner(length(min = 1, max = 64)))]
    pub products: Vec<String>,
    /// So many of the GPUs that match, whichever disturbs the node's pods and slices least; alone: of all GPUs. The others
    /// follow the overrides after this one, or `spec.strategy`. 1 to 32.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "i32", range(min = 1, max = 32))]
    pub count: Option<i32>,
}
