//! What is on the machine: the GPU, the agent with its journal, the device plugin, pods.

use super::slices::Slices;
use crate::store::Number;

/// The machine of a node. It outlives the node's object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Machine {
    /// The slices that the GPU has.
    pub slices: Slices,
    /// Whether the agent runs.
    pub agent_is_up: bool,
    /// The agent's journal.
    pub task: Option<Task>,
    /// The agent has read the go-ahead and is about to tell that it begins; whether what it read is still so.
    pub announces: Option<bool>,
    /// What the device plugin has read last.
    pub plugin_key: Option<Number<String>>,
}

/// An operation in the agent's journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Task {
    /// The operation.
    pub id: u8,
    /// Where it goes.
    pub target: Slices,
    /// Where it goes back to.
    pub previous: Slices,
    /// How far it is.
    pub stage: Stage,
}

/// How far an operation is: the stages of the agent's journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    Intended,
    Clearing,
    Building,
    UndoClearing,
    UndoBuilding,
    Done,
    RolledBack,
    Failed,
}

impl Stage {
    /// Whether the GPU is being changed.
    pub const fn is_under_way(self) -> bool {
        match self {
            Self::Clearing | Self::Building | Self::UndoClearing | Self::UndoBuilding => true,
            Self::Intended | Self::Done | Self::RolledBack | Self::Failed => false,
        }
    }
}

/// One of the pods that come and go. A third one, the keeper, holds a slice that no target takes away, for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// `default/victim`, of a set: its successor has the same name.
    Victim,
    /// `default/late`, which the scheduler binds when it pleases.
    Late,
}

impl Who {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Victim, Self::Late];

    /// Its index in arrays.
    pub const fn index(self) -> usize {
        match self {
            Self::Victim => 0,
            Self::Late => 1,
        }
    }

    /// The pod's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Victim => "victim",
            Self::Late => "late",
        }
    }

    /// The slice that it takes.
    pub const fn slice(self) -> Slices {
        match self {
            Self::Victim => Slices::VICTIMS,
            Self::Late => Slices::LATE,
        }
    }
}

/// A pod of this name on the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pod {
    /// How many of its name there have been.
    pub uid: u8,
    /// How it is with the latest of them.
    pub stage: PodStage,
}

/// How it is with a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PodStage {
    /// It is not on this node.
    Absent,
    /// It was bound to the node, and the kubelet has not given it a device yet. `long`: for longer than that may take.
    Bound {
        /// Whether the kubelet has had its time.
        long: bool,
    },
    /// It holds its slice.
    Running,
    /// It was asked to end.
    Leaving {
        /// Whether it holds its slice until then.
        holds: bool,
    },
}

impl PodStage {
    /// Whether the pod holds its slice.
    pub const fn holds(self) -> bool {
        match self {
            Self::Absent | Self::Bound { .. } => false,
            Self::Running => true,
            Self::Leaving { holds } => holds,
        }
    }
}
