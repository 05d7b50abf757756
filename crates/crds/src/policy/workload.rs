//! What the workloads of a policy's nodes need.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::MemoryText;

/// What the workloads need. `Auto` decides by it; every other strategy is checked against it.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Workload {
    /// `Hard`: memory and faults of one workload must not reach another. `None` (default): they may.
    #[serde(default)]
    pub isolation: Isolation,
    /// GPU memory of one workload, such as `8Gi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "MemoryText")]
    pub memory: Option<MemoryText>,
    /// `Bursty` (default): mostly idle. `Continuous`: mostly busy.
    #[serde(default)]
    pub pattern: Pattern,
    /// All workloads that share a GPU trust each other. Default false.
    #[serde(default)]
    pub trusted: bool,
    /// How many workloads should share one GPU, 1 to 48.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "i32", range(min = 1, max = 48))]
    pub per_gpu: Option<i32>,
}

/// How far workloads must be kept apart.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
pub enum Isolation {
    /// Memory and faults of one workload must not reach another.
    Hard,
    /// They may.
    #[default]
    None,
}

/// How a workload uses its GPU.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
pub enum Pattern {
    /// Mostly idle.
    #[default]
    Bursty,
    /// Mostly busy.
    Continuous,
}
