//! All that belongs to one node's name.

use std::hash::BuildHasher;

use super::machine::{Machine, Pod, PodStage, Who};
use super::node::{GpuNode, Node};
use super::operator::{Leader, Memory, Summary, Visit};
use super::slices::Slices;
use crate::hash::Fast;

/// A node's objects, its machine, and what operators are doing about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is something that may be so or not, whatever the others are"
)]
pub struct Host {
    /// The Node.
    pub node: Option<Node>,
    /// How many nodes of this name there have been.
    pub nodes_made: u8,
    /// The `GpuNode`.
    pub gpu_node: Option<GpuNode>,
    /// The machine.
    pub machine: Machine,
    /// The pods that come and go.
    pub pods: [Pod; 2],
    /// Which programs of NVIDIA's have a pod on the node.
    pub runs: [bool; 2],
    /// The policy selects the node.
    pub is_selected: bool,
    /// The scheduler has not seen yet that the node takes no pods any more.
    pub scheduler_lags: bool,
    /// A disruption budget protects the pods.
    pub budget_blocks: bool,
    /// An admin has cordoned the node while it was schedulable, and has not uncordoned it since.
    pub admin_keeps_it_cordoned: bool,
    /// What each operator is in the middle of.
    pub visits: [Visit; 2],
    /// What each operator remembers.
    pub memories: [Memory; 2],
    /// What each policy controller's cache has, where caches lag.
    pub cached: [Option<Summary>; 2],
}

impl Host {
    /// A Node with its machine; nothing has been done with it yet.
    pub fn new(node: Node) -> Self {
        let absent = Pod {
            uid: 0,
            stage: PodStage::Absent,
        };
        Self {
            node: Some(node),
            nodes_made: 1,
            gpu_node: None,
            machine: Machine {
                slices: node.advertised,
                agent_is_up: true,
                task: None,
                announces: None,
                plugin_key: None,
            },
            pods: [absent; 2],
            runs: [false; 2],
            is_selected: true,
            scheduler_lags: false,
            budget_blocks: false,
            admin_keeps_it_cordoned: false,
            visits: [Visit::Idle; 2],
            memories: [Memory::NONE; 2],
            cached: [None; 2],
        }
    }

    /// The pod of a name.
    pub const fn pod(&self, who: Who) -> Pod {
        self.pods[who.index()]
    }

    /// Whether a pod holds one of these slices.
    pub fn is_held(&self, slices: Slices) -> bool {
        let mut pods = Who::ALL.into_iter();
        pods.any(|who| slices.has(who.slice()) && self.pod(who).stage.holds())
    }

    /// Changes the Node: whoever has read it before is behind, except who wrote it.
    pub fn write_node(&mut self, by: Option<Leader>, change: impl FnOnce(&mut Node)) {
        let Some(node) = &mut self.node else { return };
        let before = *node;
        change(node);
        if !node.unschedulable {
            node.cordon_is_ours = false;
        }
        if before.takes_pods() != node.takes_pods() {
            self.scheduler_lags = before.takes_pods();
        }
        self.node_is_written(by);
    }

    /// The Node is another than was read.
    pub fn node_is_written(&mut self, by: Option<Leader>) {
        for leader in others(by) {
            match &mut self.visits[leader.index()] {
                Visit::Idle => {}
                Visit::Looked { current, .. } => *current = false,
                Visit::Acts {
                    node_is_current, ..
                } => *node_is_current = false,
            }
        }
    }

    /// The `GpuNode` is another than was read, for everybody but who wrote it.
    pub fn gpu_node_is_written(&mut self, by: Option<Leader>) {
        for leader in others(by) {
            match &mut self.visits[leader.index()] {
                Visit::Idle | Visit::Looked { .. } => {}
                Visit::Acts {
                    gpu_node_is_current,
                    ..
                } => *gpu_node_is_current = false,
            }
        }
        self.machine.announces = self.machine.announces.map(|_| false);
    }

    /// The agent has beaten: no operator has heard that yet.
    pub fn beats(&mut self) {
        for memory in &mut self.memories {
            memory.knows_beat = false;
        }
    }
}

fn others(by: Option<Leader>) -> impl Iterator<Item = Leader> {
    let all = Leader::ALL.into_iter();
    all.filter(move |leader| Some(*leader) != by)
}

impl Host {
    /// Forgets what was heard and answered during an operation that is over.
    pub fn forget_operation(&mut self) {
        self.memories = [Memory::NONE; 2];
    }

    /// Forgets which of two operators is which.
    pub fn sort_leaders(&mut self) {
        let rank = |index: usize| {
            let known = (self.visits[index], self.memories[index], self.cached[index]);
            Fast::default().hash_one(known)
        };
        if rank(0) > rank(1) {
            self.visits.swap(0, 1);
            self.memories.swap(0, 1);
            self.cached.swap(0, 1);
        }
    }
}
