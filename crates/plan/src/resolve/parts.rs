//! The parts of a policy, its own strategy and its overrides, and which GPUs may follow which.

use crds::gpu_node::{GpuStatus, MigTarget, MpsTarget, ReplicaRules, SharingTarget};
use crds::policy::{Advertise, GpuSelection, Strategy, StrategyType};
use crds::{GpuSharingPolicySpec, MemoryText};

use super::products::any_matches;
use super::{Problem, ProblemReason};
use crate::mps;
use crate::offer::Offer;

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

    /// The path of what it says about replicas.
    pub(super) fn time_slicing_path(&self) -> String {
        let of = if self.strategy.mig.is_some() {
            "mig.timeSlicing"
        } else {
            "timeSlicing"
        };
        format!("{}.{of}", self.strategy_path())
    }

    /// How the GPU with these slices is shared in software. What no slice has is not told.
    pub(super) fn sharing(&self, gpu: &GpuStatus, mig: &MigTarget) -> SharingTarget {
        let replicas = self.replicas_of(None);
        let numbers = mig.instances.iter().map(|slice| {
            let number = self.replicas_of(Some(&slice.profile));
            (slice.profile.clone(), number)
        });
        SharingTarget {
            r#type: self.strategy.r#type,
            replicas,
            per_profile: numbers.filter(|(_, number)| *number != replicas).collect(),
            mps: self.mps(gpu).ok().flatten(),
        }
    }

    /// What an MPS client gets of the GPU. None: it is not to be served through MPS.
    pub(super) fn mps(&self, gpu: &GpuStatus) -> Result<Option<MpsTarget>, Problem> {
        let Some(asked) = &self.strategy.mps else {
            return Ok(None);
        };
        let problem = |path: &str, message: String| {
            let path = format!("{}.mps.{path}", self.strategy_path());
            Problem::new(ProblemReason::MpsLimitsExceeded, path, message)
        };
        let bytes = asked.memory_limit.as_ref().map(MemoryText::bytes);
        let bytes = bytes
            .transpose()
            .map_err(|error| problem("memoryLimit", error.to_string()))?;
        let settings = mps::Settings {
            replicas: asked.replicas,
            active_thread_percentage: asked.active_thread_percentage,
            memory_limit_mib: bytes.map(|bytes| i64::try_from(bytes >> 20).unwrap_or(i64::MAX)),
            allow_memory_oversubscription: asked.allow_memory_oversubscription,
        };
        mps::client(gpu, &settings).map(Some).map_err(|refusals| {
            let path = refusals.first().map_or("replicas", |first| first.field());
            let refusals: Vec<_> = refusals.iter().map(ToString::to_string).collect();
            problem(path, refusals.join("; "))
        })
    }

    /// In what it differs from other parts that leave GPUs whole, as far as the device plugin and the MPS daemon cannot tell
    /// these apart: strategy, replicas, and share of the threads of a client.
    pub(super) fn of_whole(&self) -> (StrategyType, i32, Option<i32>) {
        let percentage = self.strategy.mps.as_ref().map(|it| {
            let share = 100 / it.replicas.clamp(1, 100);
            it.active_thread_percentage.unwrap_or(share)
        });
        (self.strategy.r#type, self.replicas_of(None), percentage)
    }

    /// How many pods may share the GPU, or each of its slices for which nothing else is said, or each of this profile.
    fn replicas_of(&self, profile: Option<&str>) -> i32 {
        let in_turns = self.strategy.time_slicing.as_ref().map(|it| it.replicas);
        let whole = in_turns.or(self.strategy.mps.as_ref().map(|it| it.replicas));
        let mig = self.strategy.mig.as_ref();
        let slices = mig.and_then(|mig| mig.time_slicing.as_ref()).map(|it| {
            let own = profile.and_then(|profile| it.per_profile.get(profile));
            *own.unwrap_or(&it.replicas)
        });
        whole.or(slices).unwrap_or(1)
    }

    /// As what the GPU, or a slice of this profile on it, is handed out.
    pub(super) fn offer<'b>(&self, profile: Option<&'b str>) -> Offer<'b> {
        let rename = self.rules().is_some_and(|rules| rules.rename);
        let advertise = self.advertise().unwrap_or_default();
        Offer::new(profile, advertise, self.replicas_of(profile), rename)
    }

    /// Under which names its slices are advertised, if it cuts GPUs into slices.
    pub(super) fn advertise(&self) -> Option<Advertise> {
        self.strategy.mig.as_ref().map(|mig| mig.advertise)
    }

    /// The rules for replicas, if there are any.
    pub(super) fn rules(&self) -> Option<ReplicaRules> {
        let whole = self.strategy.time_slicing.as_ref();
        let whole = whole.map(|it| (it.rename_by_default, it.fail_requests_greater_than_one));
        let mig = self.strategy.mig.as_ref();
        let slices = mig.and_then(|mig| mig.time_slicing.as_ref());
        let slices = slices.map(|it| (it.rename_by_default, it.fail_requests_greater_than_one));
        let (rename, fail_requests_greater_than_one) = whole.or(slices)?;
        Some(ReplicaRules {
            rename,
            fail_requests_greater_than_one,
        })
    }

    /// Whether instances that others have made may be destroyed.
    pub(super) fn adopts(&self) -> bool {
        let mig = self.strategy.mig.as_ref();
        mig.is_some_and(|mig| mig.adopt)
    }
}
