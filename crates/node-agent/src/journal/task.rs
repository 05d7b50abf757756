//! An operation as the journal has it, and how far it is.

use crds::gpu_node::{AgentStage, PreviousGpu, Target};
use serde::{Deserialize, Serialize};

/// An operation from the decision to destroy on.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Task {
    /// The operator's number.
    pub id: i64,
    /// Where it goes.
    pub target: Target,
    /// Where it goes back to.
    pub previous: Vec<PreviousGpu>,
    /// How far it is.
    pub stage: Stage,
}

/// How far an operation is.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all_fields = "camelCase")]
pub enum Stage {
    /// The operator may not know yet: it has begun only if the `GpuNode` says `Destroying`.
    Intended,
    /// What is not wanted goes.
    Clearing,
    /// What is wanted is made.
    Building,
    /// A step failed: what was made goes again.
    UndoClearing {
        /// Why.
        error: String,
    },
    /// A step failed: what was destroyed is made again.
    UndoBuilding {
        /// Why.
        error: String,
    },
    /// The target is reached and read back.
    Done,
    /// The layout from before is back and read back.
    RolledBack {
        /// Why.
        error: String,
    },
    /// Neither could be reached.
    Failed {
        /// Why.
        error: String,
    },
}

impl Stage {
    /// Whether the GPUs are being changed: the only ways out are the target, the layout before, or a person.
    pub const fn is_under_way(&self) -> bool {
        match self {
            Self::Clearing
            | Self::Building
            | Self::UndoClearing { .. }
            | Self::UndoBuilding { .. } => true,
            Self::Intended | Self::Done | Self::RolledBack { .. } | Self::Failed { .. } => false,
        }
    }

    /// What the operator is told; nothing about an intent.
    pub const fn reported(&self) -> Option<AgentStage> {
        match self {
            Self::Intended => None,
            Self::Clearing | Self::UndoClearing { .. } => Some(AgentStage::Destroying),
            Self::Building | Self::UndoBuilding { .. } => Some(AgentStage::Creating),
            Self::Done => Some(AgentStage::Done),
            Self::RolledBack { .. } => Some(AgentStage::RolledBack),
            Self::Failed { .. } => Some(AgentStage::Failed),
        }
    }

    /// What went wrong, if something did.
    pub fn error(&self) -> Option<&str> {
        match self {
            Self::Intended | Self::Clearing | Self::Building | Self::Done => None,
            Self::UndoClearing { error }
            | Self::UndoBuilding { error }
            | Self::RolledBack { error }
            | Self::Failed { error } => Some(error),
        }
    }

    /// Where it goes on after a failure: back, or nowhere if it was going back already.
    #[must_use]
    pub fn failed(&self, why: String) -> Self {
        match self.error() {
            None => Self::UndoClearing { error: why },
            Some(first) => Self::Failed {
                error: format!("{first}; going back failed too: {why}"),
            },
        }
    }
}
