//! A policy on one node's GPUs: a target with exact places, or what is in the way.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crds::GpuSharingPolicy;
use crds::gpu_node::{GpuStatus, GpuTarget, MigMode, MigTarget, PolicyReference, Target};
use crds::policy::{Mig, MigPreset};

use super::products::any_matches;
use super::sharing::{self, Placed};
use super::{Problem, ProblemReason, reference};
use crate::change::{self, Change};
use crate::guarantees;
use crate::layout::{self, Existing, Infeasible, Obstacle, Occupancy};

/// What a node should be, and what it takes to get there from where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Goal {
    /// The policy that says so.
    pub policy: PolicyReference,
    /// The strategy for people: `exclusive`, `time-slicing`, `mig`, `mixed`.
    pub strategy: String,
    /// Every GPU of the node, with exact places.
    pub target: Target,
    /// What differs now.
    pub change: Change,
    /// The labels that the node gets once that is verified.
    pub guarantees: BTreeMap<String, String>,
}

/// The target of a policy for a node with these GPUs. What is there already and fits, stays; so the target of a node
/// that has reached it is what it has.
///
/// The fewest of the `protected` pods, `namespace/name`, have to leave, however many others that disturbs: none where
/// there is a placement without. If some have to, it is for the drain to wait until they may.
///
/// # Errors
/// What is in the way, see [`ProblemReason::is_of_the_node`] for whose mistake it is.
pub fn goal(
    policy: &GpuSharingPolicy,
    gpus: &[GpuStatus],
    protected: &BTreeSet<String>,
) -> Result<Goal, Problem> {
    if gpus.is_empty() {
        let message =
            "the node's agent has not reported its GPUs yet; see the agent's pod on the node";
        return Err(Problem::new(
            ProblemReason::NoInventory,
            "status.agent.gpus",
            message,
        ));
    }
    let target = target(policy, gpus, protected)?;
    let reference = reference(policy);
    Ok(Goal {
        strategy: guarantees::strategy(&target).to_owned(),
        change: change::between(gpus, &target),
        guarantees: guarantees::labels(&target, &reference.name),
        policy: reference,
        target,
    })
}

fn target(
    policy: &GpuSharingPolicy,
    gpus: &[GpuStatus],
    protected: &BTreeSet<String>,
) -> Result<Target, Problem> {
    let mut sorted: Vec<_> = gpus.iter().collect();
    sorted.sort_by_key(|gpu| gpu.index);
    let strategy = |gpu: &&GpuStatus| sharing::strategy(&policy.spec, gpu);
    let parts: Vec<_> = sorted.iter().map(strategy).collect();
    let adopt = parts.iter().any(Placed::adopts);
    let mut pods = Pods {
        protected,
        leaving: BTreeSet::new(),
    };
    let mut targets = Vec::with_capacity(sorted.len());
    for (gpu, part) in sorted.into_iter().zip(&parts) {
        targets.push(GpuTarget {
            uuid: gpu.uuid.clone(),
            index: gpu.index,
            mig: slices(gpu, part, adopt, &mut pods)?,
            sharing: part.sharing(),
        });
    }
    sharing::conflict(&parts, &targets)?;
    Ok(Target {
        gpus: targets,
        adopt,
        replicas: sharing::rules(&parts)?,
    })
}

/// The slices of one GPU. Pods that leave because of this one are added to those that leave anyway.
fn slices(
    gpu: &GpuStatus,
    part: &Placed<'_>,
    adopt: bool,
    pods: &mut Pods<'_>,
) -> Result<MigTarget, Problem> {
    let Some(mig) = &part.strategy.mig else {
        whole(gpu, part, adopt)?;
        return Ok(MigTarget::default());
    };
    let (wanted, path) = wanted(gpu, mig, &part.path)?;
    let existing = pods.without_leaving(layout::existing(gpu, adopt));
    let layout = layout::search_sparing(&gpu.profiles, &existing, &wanted, pods.protected);
    let layout = layout.map_err(|error| {
        let instead = layout::alternatives(&gpu.profiles, &existing, &wanted);
        infeasible(gpu, adopt, path, &error, &instead)
    })?;
    pods.leaving.extend(layout.evicted);
    Ok(MigTarget {
        enabled: true,
        instances: layout.instances,
    })
}

/// The numbers of slices by profile for a GPU, and the field that says so.
fn wanted(
    gpu: &GpuStatus,
    mig: &Mig,
    path: &str,
) -> Result<(BTreeMap<String, i32>, String), Problem> {
    let product = mig.per_product.iter().enumerate();
    let mut product = product.filter(|(_, it)| any_matches(&it.products, &gpu.product));
    let (counts, preset, path) = match product.next() {
        Some((index, it)) => (
            &it.layout,
            it.preset,
            format!("{path}.mig.perProduct[{index}]"),
        ),
        None => (&mig.layout, mig.preset, format!("{path}.mig")),
    };
    if gpu.mig.current == MigMode::NotSupported {
        let message = format!(
            "GPU {} is a {}, which has no MIG; select nodes whose GPUs have it, or give this product another strategy in spec.overrides",
            gpu.index, gpu.product
        );
        return Err(Problem::new(ProblemReason::MigNotSupported, path, message));
    }
    match (counts, preset) {
        (Some(counts), _) => Ok((counts.clone(), format!("{path}.layout"))),
        (None, preset) => {
            let path = format!("{path}.preset");
            // The API server sees to it that one of them is set.
            let preset = preset.unwrap_or(MigPreset::Balanced);
            let counts = layout::preset(preset, &gpu.profiles);
            let counts =
                counts.map_err(|error| infeasible(gpu, false, path.clone(), &error, &[]))?;
            Ok((counts, path))
        }
    }
}

/// Turning MIG off takes every instance along, also those that are not ours to destroy.
fn whole(gpu: &GpuStatus, part: &Placed<'_>, adopt: bool) -> Result<(), Problem> {
    let foreign = gpu.instances.iter().find(|instance| !instance.owned);
    match foreign {
        Some(instance) if !adopt => Err(Problem::new(
            ProblemReason::ForeignInstances,
            part.path.clone(),
            format!(
                "GPU {} has {} at slice {}, made by somebody else; destroy it by hand, or let a policy of type MIG with \
                 mig.adopt take it over first",
                gpu.index, instance.profile, instance.start
            ),
        )),
        Some(_) | None => Ok(()),
    }
}

/// Who must not be evicted, and who is anyway.
struct Pods<'a> {
    protected: &'a BTreeSet<String>,
    /// They leave because of another GPU, and cost nothing more.
    leaving: BTreeSet<String>,
}

impl Pods<'_> {
    /// The instances, with those pods taken away that leave anyway.
    fn without_leaving(&self, mut existing: Vec<Existing>) -> Vec<Existing> {
        for instance in &mut existing {
            if let Occupancy::Pods(pods) = &mut instance.occupancy {
                pods.retain(|pod| !self.leaving.contains(pod));
                if pods.is_empty() {
                    instance.occupancy = Occupancy::Free;
                }
            }
        }
        existing
    }
}

fn infeasible(
    gpu: &GpuStatus,
    adopt: bool,
    path: String,
    error: &Infeasible,
    instead: &[BTreeMap<String, i32>],
) -> Problem {
    let reason = match error {
        Infeasible::NotOffered { .. }
        | Infeasible::TooMany { .. }
        | Infeasible::TooLarge { .. }
        | Infeasible::MediaEngines { .. } => ProblemReason::NoPlacement,
        Infeasible::Blocked { by, .. } if by.iter().any(|it| is_foreign(gpu, adopt, it)) => {
            ProblemReason::ForeignInstances
        }
        Infeasible::Blocked { .. } => ProblemReason::Blocked,
        Infeasible::NothingOffered | Infeasible::Implausible { .. } => ProblemReason::NoInventory,
    };
    let mut message = format!("GPU {} ({}): {error}", gpu.index, gpu.product);
    if !instead.is_empty() {
        let instead: Vec<_> = instead.iter().map(layout::counts).collect();
        // Writing to a String cannot fail.
        let _ = write!(message, "; there is room for {}", instead.join(", or for "));
    }
    Problem::new(reason, path, message)
}

/// Whether an obstacle is an instance that somebody else has made.
fn is_foreign(gpu: &GpuStatus, adopt: bool, obstacle: &Obstacle) -> bool {
    let mut instances = gpu.instances.iter();
    let there = instances.find(|instance| instance.start == obstacle.start);
    !adopt && there.is_some_and(|instance| !instance.owned)
}
