//! Whether NVIDIA's device plugin can do all parts of a policy on one node.

use crds::gpu_node::{GpuTarget, ReplicaRules};

use super::parts::Part;
use super::{Problem, ProblemReason};

/// The one rule for replicas that the plugin can have for a node; each GPU follows its part.
pub(super) fn rules(followed: &[&Part<'_>]) -> Result<ReplicaRules, Problem> {
    let mut rules = followed
        .iter()
        .filter_map(|part| Some((part, part.rules()?)));
    let Some((_, first)) = rules.next() else {
        return Ok(ReplicaRules::default());
    };
    match rules.find(|(_, other)| *other != first) {
        None => Ok(first),
        Some((part, _)) => Err(Problem::new(
            ProblemReason::Conflict,
            format!("{}.timeSlicing", part.strategy_path()),
            "NVIDIA's device plugin has one renameByDefault and one failRequestsGreaterThanOne for all GPUs of a node; \
             write the same in every part of the policy",
        )),
    }
}

/// Whole GPUs are one resource, `nvidia.com/gpu`, and the plugin shares a resource in one way.
pub(super) fn conflict(followed: &[&Part<'_>], gpus: &[GpuTarget]) -> Result<(), Problem> {
    let mut whole = gpus
        .iter()
        .zip(followed)
        .filter(|(gpu, _)| !gpu.mig.enabled);
    let Some((one, _)) = whole.next() else {
        return Ok(());
    };
    match whole.find(|(other, _)| other.sharing != one.sharing) {
        None => Ok(()),
        Some((other, part)) => Err(Problem::new(
            ProblemReason::Conflict,
            part.strategy_path(),
            format!(
                "GPU {} and GPU {} would both be advertised as nvidia.com/gpu, and NVIDIA's device plugin hands out all \
                 devices of a resource in the same way; give whole GPUs of a node one strategy and one number of replicas",
                one.index, other.index
            ),
        )),
    }
}
