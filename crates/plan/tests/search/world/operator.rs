//! What operators are in the middle of, and what they remember.

use crds::GpuNodeSpec;
use crds::gpu_node::{MaintenanceStatus, Phase};

use super::Configs;
use super::machine::Who;
use super::node::{Node, Promises};
use super::stack::Deploy;
use crate::store::Number;

/// An operator. While the lease is respected there is one: another that takes over from it remembers nothing, like one
/// that has died and come back. With a split brain there are two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Leader {
    /// The first.
    One,
    /// The second.
    Two,
}

impl Leader {
    /// Both.
    pub const ALL: [Self; 2] = [Self::One, Self::Two];

    /// Its index in arrays.
    pub const fn index(self) -> usize {
        match self {
            Self::One => 0,
            Self::Two => 1,
        }
    }
}

/// What an operator is in the middle of with one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Visit {
    /// Nothing.
    Idle,
    /// It has read the Node, and not yet the rest.
    Looked {
        /// The Node as it was read.
        node: Option<Node>,
        /// It has not been written since.
        current: bool,
    },
    /// It has decided, and acts.
    Acts {
        /// What it has decided.
        decision: Number<Decision>,
        /// What of that is done.
        done: u8,
        /// The Node has not been written since it was read, but by this visit.
        node_is_current: bool,
        /// The same of the `GpuNode`.
        gpu_node_is_current: bool,
    },
}

/// What a step came to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decision {
    /// UID of the node that was read; none: 0.
    pub node: u8,
    /// There was no `GpuNode`.
    pub sweeps: bool,
    /// What is done first, in this order.
    pub deeds: Vec<Deed>,
    /// What is written last, if that is anything new.
    pub status: Option<Number<MaintenanceStatus>>,
}

/// An effect of a step. Labels are what the node has afterwards: it is as it was read, or nothing is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deed {
    Cordon {
        operation: u8,
        pre_cordoned: bool,
    },
    Uncordon {
        schedulable: bool,
        key: Option<Number<String>>,
        promises: Number<Promises>,
    },
    Label {
        key: Option<Number<String>>,
        promises: Number<Promises>,
        clients: [Deploy; 2],
    },
    Remember {
        manager: Deploy,
        before: Option<Deploy>,
        promises: Number<Promises>,
    },
    Publish(Number<Configs>),
    Ask(Number<GpuNodeSpec>),
    Evict {
        who: Who,
        uid: u8,
        forced: bool,
    },
}

/// What an operator remembers of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Memory {
    /// It has heard the agent's latest beat.
    pub knows_beat: bool,
    /// When it last heard one that was new.
    pub heard: Heard,
    /// How evictions went, by pod.
    pub evictions: [Option<Eviction>; 2],
}

impl Memory {
    /// Of one that has just started.
    pub const NONE: Self = Self {
        knows_beat: false,
        heard: Heard::Fresh,
        evictions: [None; 2],
    };
}

/// When an operator last heard a new beat of the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Heard {
    /// After the node became quiet, if it is.
    Fresh,
    /// Before that.
    Old,
    /// So long ago that the agent is lost.
    Lost,
}

/// How the eviction of a pod went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Eviction {
    /// The pod.
    pub uid: u8,
    /// The server took it.
    pub accepted: bool,
    /// It did not, and may be asked again now.
    pub due: bool,
}

/// What a policy controller has in its cache of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Summary {
    /// The node's UID.
    pub uid: u8,
    /// Cordoned by anybody.
    pub unavailable: bool,
    /// The policy selects it.
    pub won: bool,
    /// `status.maintenance.phase`.
    pub phase: Phase,
    /// A slot is all that it waits for.
    pub wants_slot: bool,
    /// `status.maintenance.operationId`.
    pub operation: u8,
    /// `status.maintenance.attempts`: some.
    pub failed: bool,
}
