//! A policy on one node's GPUs: a target with exact places, or what is in the way.

use std::collections::{BTreeMap, BTreeSet};

use crds::GpuSharingPolicy;
use crds::gpu_node::{GpuStatus, GpuTarget, MigMode, MigTarget, PolicyReference, Target};

use super::parts::{self, Part};
use super::{Problem, ProblemReason, allotment, reference, sharing, single, workload};
use crate::change::{self, Change};
use crate::guarantees;

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
    /// Whether every other target of the policy is known to disturb the node no less. If not, the search ended after its share
    /// of work: that happens only where many pods are on several GPUs each.
    pub is_proved: bool,
}

impl Goal {
    /// Whether slices are wanted, or there are some on the node's GPUs.
    pub fn concerns_mig(&self, gpus: &[GpuStatus]) -> bool {
        concerns_mig(&self.target, gpus)
    }
}

/// Whether a target has slices, or there are some on the node's GPUs.
pub(crate) fn concerns_mig(target: &Target, gpus: &[GpuStatus]) -> bool {
    target.gpus.iter().any(|gpu| gpu.mig.enabled)
        || gpus.iter().any(|gpu| gpu.mig.current == MigMode::Enabled)
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
    let (target, is_proved) = target(policy, gpus, protected)?;
    let reference = reference(policy);
    Ok(Goal {
        strategy: guarantees::strategy(&target).to_owned(),
        change: change::between(gpus, &target),
        guarantees: guarantees::labels(&target, &reference.name),
        policy: reference,
        target,
        is_proved,
    })
}

/// The target, and whether it is proved to disturb the least.
fn target(
    policy: &GpuSharingPolicy,
    gpus: &[GpuStatus],
    protected: &BTreeSet<String>,
) -> Result<(Target, bool), Problem> {
    let mut sorted: Vec<_> = gpus.iter().collect();
    sorted.sort_by_key(|gpu| gpu.index);
    let parts = parts::parts(&policy.spec);
    let allotment = allotment::allot(&parts, &sorted, protected)?;
    let adopt = allotment.adopt;
    let followed = allotment.followed.into_iter();
    let followed: Vec<_> = followed.map(|part| &parts[part]).collect();
    let target = |((gpu, part), mig): ((&&GpuStatus, &&Part<'_>), MigTarget)| GpuTarget {
        uuid: gpu.uuid.clone(),
        index: gpu.index,
        sharing: part.sharing(gpu, &mig),
        mig,
    };
    let gpus: Vec<_> = sorted
        .iter()
        .zip(&followed)
        .zip(allotment.slices)
        .map(target)
        .collect();
    let advertise = single::advertise(&followed, &gpus, &sorted, adopt)?;
    sharing::conflict(&followed, &gpus)?;
    workload::fits(policy.spec.workload.as_ref(), &followed, &gpus, &sorted)?;
    let target = Target {
        gpus,
        adopt,
        replicas: sharing::rules(&followed)?,
        advertise,
    };
    Ok((target, allotment.is_proved))
}
