//! The parts of a policy, its own strategy and its overrides, and which GPUs may follow which.

use crds::GpuSharingPolicySpec;
use crds::gpu_node::{GpuStatus, ReplicaRules, SharingTarget};
use crds::policy::{GpuSelection, Strategy};

use super::products::any_matches;

/// A part of a policy.
#[derive(Clone, Debug)]
pub(super) struct Part<'a> {
    pub(super) strategy: &'a Strategy,
    /// Where it stands: `spec.overrides[0]`, or `spec` for the policy's own.
    pub(super) path: String,
    /// Which GPUs it is for; none: those of no other part.
    selection: Option<&'a GpuSelection>,
    /// How many of them follow it; none: all.
    pub(super) count: Option<usize>,
}

/// The overrides in their order, and the policy's own strategy last.
pub(super) fn parts(spec: &GpuSharingPolicySpec) -> Vec<Part<'_>> {
    let overrides = spec.overrides.iter().enumerate();
    let overrides = overrides.map(|(index, it)| Part {
        strategy: &it.strategy,
        path: format!("spec.overrides[{index}]"),
        selection: Some(&it.gpus),
        count: it
            .gpus
            .count
            .map(|it| usize::try_from(it).unwrap_or_default()),
    });
    let own = Part {
        strategy: &spec.strategy,
        path: "spec".to_owned(),
        selection: None,
        count: None,
    };
    overrides.chain([own]).collect()
}

/// The parts that a GPU may follow: the first that is for it, or one of those before that take only some of theirs.
pub(super) fn open_to(parts: &[Part<'_>], gpu: &GpuStatus) -> Vec<usize> {
    let mut open = Vec::with_capacity(1);
    for (index, part) in parts.iter().enumerate() {
        if part.selection.is_none_or(|it| selects(it, gpu)) {
            open.push(index);
            if part.count.is_none() {
                break;
            }
        }
    }
    open
}

fn selects(selection: &GpuSelection, gpu: &GpuStatus) -> bool {
    let by_index = selection.indices.is_empty() || selection.indices.contains(&gpu.index);
    let by_product =
        selection.products.is_empty() || any_matches(&selection.products, &gpu.product);
    by_index && by_product
}

impl Part<'_> {
    /// The path of its strategy.
    pub(super) fn strategy_path(&self) -> String {
        format!("{}.strategy", self.path)
    }

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
