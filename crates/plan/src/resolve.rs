//! What each node should be, by the policies.
//!
//! ```text
//! selector   which policies select a node, and which of them wins
//! check      what is wrong with a policy, whatever the hardware (check_mig: with its slices; warnings: what is allowed and
//!            hardly meant)
//! goal       the winner on one node's GPUs: a target with exact places, or what is in the way
//! parts      which parts of a policy a GPU may follow
//! candidates what a part may make of a GPU, and whom that disturbs (slices: how it is to be cut)
//! allotment  which part each GPU follows, and its slices (assignment: the choice that disturbs the node least, by its cost;
//!            followed: what may be followed on one node; bound: what the rest costs at least)
//! sharing    what NVIDIA's device plugin can do on one node at once (single: where it can call all slices nvidia.com/gpu)
//! ```

mod allotment;
mod assignment;
mod bound;
mod candidates;
mod check;
mod check_mig;
mod choice;
mod cost;
mod followed;
mod goal;
mod parts;
mod problem;
mod products;
mod selector;
mod sharing;
mod single;
mod slices;
#[cfg(test)]
mod tests;
mod warnings;

use std::collections::{BTreeMap, BTreeSet};

use crds::GpuSharingPolicy;
use crds::gpu_node::{GpuStatus, PolicyReference};
use kube::ResourceExt;

pub use check::check;
pub use goal::{Goal, goal};
pub use problem::{Problem, ProblemReason};
pub use selector::{matches, winner};
pub use warnings::{Warning, warnings};

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

/// What a node with these labels and GPUs should be, and the policy that says so. `protected` are pods on it,
/// `namespace/name`, that must not be evicted; see [`goal()`].
pub fn wish<'a>(
    policies: impl IntoIterator<Item = &'a GpuSharingPolicy>,
    node_labels: &BTreeMap<String, String>,
    gpus: &[GpuStatus],
    protected: &BTreeSet<String>,
) -> (Option<&'a GpuSharingPolicy>, Wish) {
    let Some(policy) = winner(policies, node_labels) else {
        return (None, Wish::Unmanaged);
    };
    let problem = check(&policy.spec).into_iter().next();
    let result = problem.map_or_else(|| goal(policy, gpus, protected), Err);
    let wish = match result {
        Ok(goal) => Wish::Goal(goal),
        Err(problem) => Wish::Refused {
            policy: reference(policy),
            problem,
        },
    };
    (Some(policy), wish)
}

/// A policy at this point of its life.
pub fn reference(policy: &GpuSharingPolicy) -> PolicyReference {
    PolicyReference {
        name: policy.name_any(),
        uid: policy.uid().unwrap_or_default(),
        generation: policy.metadata.generation.unwrap_or_default(),
    }
}
