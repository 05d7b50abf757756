//! What each node should be, by the policies.
//!
//! ```text
//! selector   which policies select a node, and which of them wins
//! check      what is wrong with a policy, whatever the hardware (check_mig: with its slices; warnings: what is allowed and
//!            hardly meant)
//! goal       the winner on one node's GPUs: a target with exact places, or what is in the way
//! parts      which parts of a policy a GPU may follow
//! candidates what a part may make of a GPU, and whom that disturbs (sites: the GPUs before that; slices: how one is to be
//!            cut)
//! allotment  which part each GPU follows, and its slices (shortage: whether there are as many GPUs as are counted on)
//! assignment the choice that disturbs the node least (given: among what; cost and scale: how much that is, as one number;
//!            branch: the choices of which something is decided; matching: GPUs at places; shared: what pods on several GPUs
//!            cost)
//! workload   whether that gives workloads what they need
//! sharing    what NVIDIA's device plugin can do on one node at once (single: where it can call all slices nvidia.com/gpu)
//! ```

mod allotment;
mod assignment;
mod branch;
mod candidates;
mod check;
mod check_mig;
mod cost;
mod given;
mod goal;
mod matching;
mod parts;
mod problem;
mod products;
mod scale;
mod selector;
mod shared;
mod sharing;
mod shortage;
mod single;
mod sites;
mod slices;
#[cfg(test)]
mod tests;
mod warnings;
mod workload;

use std::collections::{BTreeMap, BTreeSet};

use crds::GpuSharingPolicy;
use crds::gpu_node::{GpuStatus, PolicyReference};
use kube::ResourceExt;

pub use check::check;
pub(crate) use goal::concerns_mig;
pub use goal::{Goal, goal};
pub use problem::{Problem, ProblemReason};
pub use selector::{matches, winner};
pub use warnings::{Warning, warnings};

use crate::neighbours::Neighbours;

/// What a node should be.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// No policy selects it.
    Unmanaged,
    /// The policy that wins it cannot be followed.
    Refused {
        /// The policy.
        policy: PolicyReference,
        /// Why.
        problem: Problem,
    },
    /// So it should be.
    Goal(Goal),
}

/// What a node with these labels, neighbours and GPUs should be, and the policy that says so. `protected` are pods on it,
/// `namespace/name`, that must not be evicted; see [`goal()`].
pub fn wish<'a>(
    policies: impl IntoIterator<Item = &'a GpuSharingPolicy>,
    node_labels: &BTreeMap<String, String>,
    neighbours: &Neighbours,
    gpus: &[GpuStatus],
    protected: &BTreeSet<String>,
) -> (Option<&'a GpuSharingPolicy>, Wish) {
    let Some(policy) = winner(policies, node_labels) else {
        return (None, Wish::Unmanaged);
    };
    let problem = check(&policy.spec).into_iter().next();
    let problem = problem.or_else(|| neighbours.objection());
    let result = problem.map_or_else(|| goal(policy, gpus, protected), Err);
    let wish = match result.and_then(|goal| unopposed(goal, policy, neighbours, gpus)) {
        Ok(goal) => Wish::Goal(goal),
        Err(problem) => Wish::Refused {
            policy: reference(policy),
            problem,
        },
    };
    (Some(policy), wish)
}

/// The goal, unless NVIDIA's MIG Manager would undo it.
fn unopposed(
    goal: Goal,
    policy: &GpuSharingPolicy,
    neighbours: &Neighbours,
    gpus: &[GpuStatus],
) -> Result<Goal, Problem> {
    let objection = neighbours.mig_objection();
    let counts = !policy.spec.take_over && goal.concerns_mig(gpus);
    objection.filter(|_| counts).map_or(Ok(goal), Err)
}

/// A policy at this point of its life.
pub fn reference(policy: &GpuSharingPolicy) -> PolicyReference {
    PolicyReference {
        name: policy.name_any(),
        uid: policy.uid().unwrap_or_default(),
        generation: policy.metadata.generation.unwrap_or_default(),
    }
}
