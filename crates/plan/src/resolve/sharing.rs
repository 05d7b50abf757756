//! Whether NVIDIA's device plugin can share devices as all parts of a policy say, on one node.

use std::collections::BTreeMap;

use crds::gpu_node::{GpuTarget, ReplicaRules};
use crds::policy::StrategyType;

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
            part.time_slicing_path(),
            "NVIDIA's device plugin has one renameByDefault and one failRequestsGreaterThanOne for all GPUs of a node; \
             write the same in every part of the policy",
        )),
    }
}

/// The plugin shares all devices of a resource in one way.
pub(super) fn conflict(followed: &[&Part<'_>], gpus: &[GpuTarget]) -> Result<(), Problem> {
    beside_mps(followed, gpus)?;
    whole(followed, gpus)?;
    slices(followed, gpus)
}

/// With MPS in its configuration the plugin ends where slices are to be advertised, and NVIDIA's feature discovery where a
/// GPU is in MIG mode (k8s-device-plugin, `cmd/nvidia-device-plugin/main.go` and `internal/lm/nvml.go`).
fn beside_mps(followed: &[&Part<'_>], gpus: &[GpuTarget]) -> Result<(), Problem> {
    let served = gpus
        .iter()
        .find(|gpu| gpu.sharing.r#type == StrategyType::Mps);
    let mut cut = gpus.iter().zip(followed).filter(|(gpu, _)| gpu.mig.enabled);
    let (Some(served), Some((cut, part))) = (served, cut.next()) else {
        return Ok(());
    };
    Err(Problem::new(
        ProblemReason::Conflict,
        part.strategy_path(),
        format!(
            "GPU {} is to be shared through MPS and GPU {} to be cut into slices, and NVIDIA's device plugin ends where both \
             are on one node; give all GPUs of the node MPS, or none",
            served.index, cut.index
        ),
    ))
}

/// Whole GPUs are one resource, `nvidia.com/gpu`.
fn whole(followed: &[&Part<'_>], gpus: &[GpuTarget]) -> Result<(), Problem> {
    let mut whole = gpus
        .iter()
        .zip(followed)
        .filter(|(gpu, _)| !gpu.mig.enabled);
    let Some((one, first)) = whole.next() else {
        return Ok(());
    };
    let Some((other, part)) = whole.find(|(_, part)| part.of_whole() != first.of_whole()) else {
        return Ok(());
    };
    let (path, message) = if other.sharing.r#type == one.sharing.r#type
        && other.sharing.replicas == one.sharing.replicas
    {
        (
            format!("{}.mps.activeThreadPercentage", part.strategy_path()),
            format!(
                "clients of GPU {} and of GPU {} would have different shares of the threads, and an MPS daemon knows one for \
                 all GPUs of a node; write the same activeThreadPercentage in every part of the policy",
                one.index, other.index
            ),
        )
    } else {
        (
            part.strategy_path(),
            format!(
                "GPU {} and GPU {} would both be advertised as nvidia.com/gpu, and NVIDIA's device plugin hands out all \
                 devices of a resource in the same way; give whole GPUs of a node one strategy and one number of replicas",
                one.index, other.index
            ),
        )
    };
    Err(Problem::new(ProblemReason::Conflict, path, message))
}

/// Slices of a profile are one resource, and with `advertise: Single` all slices are.
fn slices(followed: &[&Part<'_>], gpus: &[GpuTarget]) -> Result<(), Problem> {
    let mut known: BTreeMap<String, (i32, i32)> = BTreeMap::new();
    for (gpu, part) in gpus.iter().zip(followed) {
        for slice in &gpu.mig.instances {
            let offer = part.offer(Some(&slice.profile));
            let (first, replicas) = *known
                .entry(offer.base())
                .or_insert((gpu.index, offer.replicas));
            if replicas != offer.replicas {
                let message = format!(
                    "GPU {first} and GPU {} both have slices that are advertised as {}, there {} and here {}, and NVIDIA's \
                     device plugin hands out all devices of a resource in the same way; write the same number of replicas \
                     for {} in every part of the policy, or cut the GPUs into different profiles",
                    gpu.index,
                    offer.base(),
                    pods(replicas),
                    pods(offer.replicas),
                    slice.profile,
                );
                let path = part.time_slicing_path();
                return Err(Problem::new(ProblemReason::Conflict, path, message));
            }
        }
    }
    Ok(())
}

fn pods(replicas: i32) -> String {
    match replicas {
        1 => "for one pod".to_owned(),
        more => format!("for {more} pods"),
    }
}
