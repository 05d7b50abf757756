//! What may happen, one thing at a time.

use crate::world::Place;
use crate::world::machine::Who;
use crate::world::operator::Leader;
use crate::world::policy::{Brake, Window};
use crate::world::slices::Slices;
use crate::world::stack::{Deploy, Program};

/// One thing that may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// An operator about a node.
    Operator(Leader, Place, Move),
    /// A policy controller looks at what its cache has, and writes.
    Admits(Leader),
    /// A policy controller's cache hears of the node as it is now.
    Caches(Leader, Place),
    /// A node's agent.
    Agent(Place, Agent),
    /// The rest of the machine, and the cluster around it.
    Cluster(Place, Cluster),
    /// NVIDIA's stack.
    Nvidia(Place, Nvidia),
    /// Time passes.
    Clock(Place, Clock),
    /// A person about a node.
    Person(Place, Person),
    /// A person, or time, about the policy.
    Policy(Author),
}

/// What an operator does about a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Reads the Node.
    Looks,
    /// Reads the rest, and decides.
    Decides,
    /// Does the next thing that it has decided.
    Acts,
    /// The same, and never hears the answer.
    ActsUnheard,
    /// Gives the visit up: something failed, or was answered too late.
    Fails,
    /// Dies, and comes back without memory; or another takes over.
    Dies,
}

/// What a node's agent does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agent {
    /// Takes one step, and tells.
    Acts,
    /// Takes one step, and dies before it tells.
    ActsAndDies,
    /// Refuses the target.
    Refuses,
    /// Cannot do its next step on the GPU.
    Fails,
    /// Dies.
    Dies,
    /// Comes back.
    Returns,
}

/// What happens around the operator and the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cluster {
    /// The device plugin reads its configuration and its devices.
    PluginReads,
    /// The scheduler binds a pod to the node.
    Binds(Who),
    /// The scheduler sees that the node takes no pods any more.
    SchedulerSees,
    /// The kubelet gives a pod its slice.
    Starts(Who),
    /// A pod that was asked to end is gone.
    Ends(Who),
    /// A disruption budget comes to protect the pods, or no longer does.
    Budget(bool),
    /// The garbage collector deletes the `GpuNode` of a node that is gone.
    Collects,
    /// The Node is deleted.
    NodeGoes,
    /// A Node of the same name is made, by the same machine.
    NodeComes,
}

/// What NVIDIA's stack does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nvidia {
    /// A program whose label says so comes to run on the node.
    Starts(Program),
    /// A program whose label does not say so any more ends.
    Ends(Program),
    /// MIG Manager begins to divide the GPU, or has done so.
    Divides(bool),
    /// An upgrade of the driver begins, or ends.
    Upgrades(bool),
}

/// What time brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The phase's deadline passes.
    Deadline,
    /// The wait after a failure is over.
    BackOff,
    /// The node has been quiet for long enough.
    Quiet,
    /// The plugin has had its time.
    Settled,
    /// The kubelets have had their time for what was published.
    Kubelets,
    /// The kubelet has had its time for a pod.
    Admission(Who),
    /// An operator has not heard the agent for too long.
    Silence(Leader),
    /// An eviction that was refused may be tried again.
    Retry(Leader, Who),
}

/// What people do with a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Person {
    /// `kubectl cordon`.
    Cordons,
    /// `kubectl uncordon`.
    Uncordons,
    /// Puts the hold annotation on the node, or takes it off.
    Holds(bool),
    /// Writes another value into the retry annotation.
    Retries,
    /// Brings the GPU into the layout that was asked for, by hand.
    Repairs,
    /// Deploys a program of NVIDIA's, or keeps it away.
    Deploys(Program, Deploy),
    /// Deletes the `GpuNode`.
    DeletesGpuNode,
    /// Deletes the `ConfigMap` with the device plugin's configurations.
    DeletesConfigs,
    /// Changes the node's labels, so that the policy selects it, or no longer does.
    Selects(bool),
}

/// What happens to the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// It asks for another layout.
    Edits(Slices),
    /// It is stopped, or goes on.
    Brakes(Brake),
    /// It takes nodes over, or no longer does.
    TakesOver(bool),
    /// It is deleted.
    Deletes,
    /// Its window opens, is about to close, or closes.
    Window(Window),
}

impl Action {
    /// Whether the world does this without ill will, if it is let.
    pub const fn is_fair(self) -> bool {
        match self {
            Self::Admits(_) | Self::Caches(..) => true,
            Self::Operator(_, _, what) => match what {
                Move::Looks | Move::Decides | Move::Acts => true,
                Move::ActsUnheard | Move::Fails | Move::Dies => false,
            },
            Self::Agent(_, what) => match what {
                Agent::Acts | Agent::Returns => true,
                Agent::ActsAndDies | Agent::Refuses | Agent::Fails | Agent::Dies => false,
            },
            Self::Cluster(_, what) => match what {
                Cluster::PluginReads
                | Cluster::SchedulerSees
                | Cluster::Starts(_)
                | Cluster::Ends(_)
                | Cluster::Budget(false)
                | Cluster::Collects => true,
                Cluster::Binds(_)
                | Cluster::Budget(true)
                | Cluster::NodeGoes
                | Cluster::NodeComes => false,
            },
            Self::Nvidia(_, what) => match what {
                Nvidia::Starts(_)
                | Nvidia::Ends(_)
                | Nvidia::Divides(false)
                | Nvidia::Upgrades(false) => true,
                Nvidia::Divides(true) | Nvidia::Upgrades(true) => false,
            },
            Self::Clock(_, what) => match what {
                Clock::Deadline
                | Clock::BackOff
                | Clock::Quiet
                | Clock::Settled
                | Clock::Kubelets
                | Clock::Admission(_)
                | Clock::Retry(..) => true,
                Clock::Silence(_) => false,
            },
            Self::Person(_, what) => match what {
                Person::Holds(false) | Person::Retries => true,
                Person::Cordons
                | Person::Uncordons
                | Person::Holds(true)
                | Person::Repairs
                | Person::Deploys(..)
                | Person::DeletesGpuNode
                | Person::DeletesConfigs
                | Person::Selects(_) => false,
            },
            Self::Policy(what) => match what {
                Author::Brakes(Brake::Off) | Author::Window(Window::Open) => true,
                Author::Edits(_)
                | Author::Brakes(Brake::Paused | Brake::DryRun)
                | Author::TakesOver(_)
                | Author::Deletes
                | Author::Window(Window::Ends | Window::Closed) => false,
            },
        }
    }
}
