//! Which strategy each GPU of a node follows, and whether NVIDIA's device plugin can do all of them on one node.

use crds::GpuSharingPolicySpec;
use crds::gpu_node::{GpuStatus, GpuTarget, ReplicaRules, SharingTarget};
use crds::policy::{GpuSelection, Strategy};

use super::products::any_matches;
use super::{Problem, ProblemReason};

/// A strategy and where it stands in the policy.
#[derive(Clone, Debug)]
pub(super) struct Placed<'a> {
    pub(super) strategy: &'a Strategy,
    /// Such as `spec.overrides[0].strategy`.
    pub(super) path: String,
}

/// The strategy of a GPU: that of the first override that names it, else the policy's own.
pub(super) fn strategy<'a>(spec: &'a GpuSharingPolicySpec, gpu: &GpuStatus) -> Placed<'a> {
    let mut overrides = spec.overrides.iter().enumerate();
    let part = overrides.find(|(_, part)| selects(&part.gpus, gpu));
    match part {
        Some((index, part)) => Placed {
            strategy: &part.strategy,
            path: format!("spec.overrides[{index}].strategy"),
        },
        None => Placed {
            strategy: &spec.strategy,
            path: "spec.strategy".to_owned(),
        },
    }
}

fn selects(selection: &GpuSelection, gpu: &GpuStatus) -> bool {
    let by_index = selection.indices.is_empty() || selection.indices.contains(&gpu.index);
    let by_product =
        selection.products.is_empty() || any_matches(&selection.products, &gpu.product);
    by_index && by_product
}

impl Placed<'_> {
    /// How the GPU, or each of its slices, is shared in software.
    pub(super) fn sharing(&self) -> SharingTarget {
        let time_slicing = self.strategy.time_slicing.as_ref();
        SharingTarget {
            r#type: self.strategy.r#type,
            replicas: time_slicing.map_or(1, |it| it.replicas),
        }
    }

    /// The rules for replicas, if there are any.
    pub(super) fn rules(&self) -> Option<ReplicaRules> {
        let time_slicing = self.strategy.time_slicing.as_ref()?;
        Some(ReplicaRules {
            rename: time_slicing.rename_by_default,
            fail_requests_greater_than_one: time_slicing.fail_requests_greater_than_one,
        })
    }

    /// Whether instances that others have made may be destroyed.
    pub(super) fn adopts(&self) -> bool {
        let mig = self.strategy.mig.as_ref();
        mig.is_some_and(|mig| mig.adopt)
    }
}

/// The one rule for replicas that the plugin can have for a node.
pub(super) fn rules(parts: &[Placed<'_>]) -> Result<ReplicaRules, Problem> {
    let mut rules = parts.iter().filter_map(|part| Some((part, part.rules()?)));
    let Some((_, first)) = rules.next() else {
        return Ok(ReplicaRules::default());
    };
    match rules.find(|(_, other)| *other != first) {
        None => Ok(first),
        Some((part, _)) => Err(Problem::new(
            ProblemReason::Conflict,
            format!("{}.timeSlicing", part.path),
            "NVIDIA's device plugin has one renameByDefault and one failRequestsGreaterThanOne for all GPUs of a node; \
             write the same in every part of the policy",
        )),
    }
}

/// Whole GPUs are one resource, `nvidia.com/gpu`, and the plugin shares a resource in one way.
pub(super) fn conflict(parts: &[Placed<'_>], gpus: &[GpuTarget]) -> Result<(), Problem> {
    let mut whole = gpus.iter().zip(parts).filter(|(gpu, _)| !gpu.mig.enabled);
    let Some((one, _)) = whole.next() else {
        return Ok(());
    };
    match whole.find(|(other, _)| other.sharing != one.sharing) {
        None => Ok(()),
        Some((other, part)) => Err(Problem::new(
            ProblemReason::Conflict,
            part.path.clone(),
            format!(
                "GPU {} and GPU {} would both be advertised as nvidia.com/gpu, and NVIDIA's device plugin hands out all \
                 devices of a resource in the same way; give whole GPUs of a node one strategy and one number of replicas",
                one.index, other.index
            ),
        )),
    }
}
