//! A node as a policy sees it.

use crds::gpu_node::{OperationResult, Phase};
use jiff::Timestamp;

use crate::resolve::Problem;

/// A node as a policy sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeSummary {
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// Whether the policy wins it. False: it only holds one of the policy's slots.
    pub won: bool,
    /// The value of the policy's `topologyKey` label; none without the label or the key.
    pub topology: Option<String>,
    /// Cordoned by anybody, or not ready.
    pub unavailable: bool,
    /// How many GPUs it has.
    pub gpus: i32,
    /// `status.maintenance.phase`.
    pub phase: Phase,
    /// Why it waits: the condition `MaintenancePending` while that is `True`.
    pub waiting: Option<Why>,
    /// `status.maintenance.operationId`.
    pub operation_id: i64,
    /// `status.maintenance.attempts`.
    pub attempts: i32,
    /// Since when it is `Pending`.
    pub pending_since: Option<Timestamp>,
    /// The operations that are over, newest first: when, and how.
    pub history: Vec<(Timestamp, OperationResult)>,
    /// Why the policy cannot be followed on it.
    pub problem: Option<Problem>,
}

/// A word and a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// One word.
    pub reason: String,
    /// A sentence.
    pub message: String,
}

impl NodeSummary {
    /// Whether an operation is under way, or has ended in a state that a person must look at.
    pub(super) const fn is_in_flight(&self) -> bool {
        match self.phase {
            Phase::Unmanaged | Phase::InSync | Phase::Pending => false,
            Phase::Preparing
            | Phase::Cordoning
            | Phase::WaitingJobs
            | Phase::Draining
            | Phase::Repartitioning
            | Phase::RollingBack
            | Phase::Validating
            | Phase::Uncordoning
            | Phase::Releasing
            | Phase::Quarantined => true,
        }
    }
}
