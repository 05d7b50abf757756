//! How far a search goes: who is there, and how often what may go wrong.

use crate::world::slices::Slices;
use crate::world::stack::Stack;

/// How much of one kind of trouble there may be.
pub type Times = u8;

/// Trouble that is still to come, or all that may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Left {
    /// An admin cordons or uncordons a node.
    pub cordons: Times,
    /// A person holds a node.
    pub holds: Times,
    /// The maintenance window closes, or is about to.
    pub closings: Times,
    /// A budget comes to protect the pods.
    pub blocks: Times,
    /// The scheduler binds a pod to a node.
    pub binds: Times,
    /// An agent dies.
    pub deaths: Times,
    /// An agent refuses a target.
    pub refusals: Times,
    /// A step on a GPU fails.
    pub faults: Times,
    /// An operator comes to believe that an agent is lost.
    pub silences: Times,
    /// A node is deleted.
    pub deletions: Times,
    /// A person deletes a `GpuNode`.
    pub purges: Times,
    /// A person deletes the `ConfigMap` of the device plugin.
    pub wipes: Times,
    /// A node's labels change.
    pub selections: Times,
    /// The policy comes to ask for something else.
    pub edits: Times,
    /// The policy is paused, or becomes a dry run.
    pub brakes: Times,
    /// The policy is deleted.
    pub removals: Times,
    /// A person repairs a GPU by hand.
    pub repairs: Times,
    /// A person deploys a program of NVIDIA's, or keeps it away.
    pub deploys: Times,
    /// NVIDIA's MIG Manager divides the GPU.
    pub divisions: Times,
    /// NVIDIA's driver is upgraded.
    pub upgrades: Times,
    /// The policy comes to take nodes over, or no longer does.
    pub allowances: Times,
}

/// A search.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Nodes: one or two.
    pub nodes: usize,
    /// Operators that act: one, or with a split brain two.
    pub leaders: usize,
    /// An operator's visit can fail at any point, and it can die at any point.
    pub fails: bool,
    /// Evictions are fenced by the lease. They cannot be by anything else, so with a split brain they are not.
    pub fences_evictions: bool,
    /// The Node is read some time before the rest.
    pub reads_apart: bool,
    /// What the policy controllers go by may be old.
    pub caches_lag: bool,
    /// There is a pod on a slice that has to go.
    pub has_victim: bool,
    /// What is asked for changes the mode of the GPU: in the beginning it is whole, and nobody is on it.
    pub switches: bool,
    /// What NVIDIA's stack has on each node in the beginning.
    pub stack: Stack,
    /// The policy takes nodes over.
    pub takes_over: bool,
    /// The policy has a maintenance window.
    pub has_window: bool,
    /// The rest of the policy's `spec.maintenance`, as JSON.
    pub rules: &'static str,
    /// What may go wrong.
    pub trouble: Left,
}

impl Bounds {
    /// What is there in the beginning.
    pub const fn before(&self) -> Slices {
        if self.switches {
            Slices::WHOLE
        } else {
            Slices::BEFORE
        }
    }

    /// One node, one operator at a time that can die anywhere, a pod to evict, and no other trouble.
    pub const BASE: Self = Self {
        nodes: 1,
        leaders: 1,
        fails: true,
        fences_evictions: true,
        reads_apart: false,
        caches_lag: false,
        has_victim: true,
        switches: false,
        stack: Stack::NONE,
        takes_over: false,
        has_window: false,
        rules: "{}",
        trouble: Left {
            cordons: 0,
            holds: 0,
            closings: 0,
            blocks: 0,
            binds: 0,
            deaths: 0,
            refusals: 0,
            faults: 0,
            silences: 0,
            deletions: 0,
            purges: 0,
            wipes: 0,
            selections: 0,
            edits: 0,
            brakes: 0,
            removals: 0,
            repairs: 0,
            deploys: 0,
            divisions: 0,
            upgrades: 0,
            allowances: 0,
        },
    };
}
