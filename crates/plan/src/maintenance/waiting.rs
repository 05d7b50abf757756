//! Why a node waits.

use crate::resolve::ProblemReason;

/// Why a node in phase `Pending` waits: the reason of its condition `MaintenancePending`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Waiting {
    /// The policy cannot be satisfied, here or on another of its nodes.
    PolicyInvalid,
    /// The policy is paused.
    Paused,
    /// The policy only plans.
    DryRun,
    /// A person holds the node.
    HeldByUser,
    /// The node is not `Ready`.
    NodeNotReady,
    /// Somebody else has cordoned the node, and the policy skips such nodes.
    ForeignCordon,
    /// The latest attempt did not succeed; the next one has a time.
    BackingOff,
    /// The node's agent does not report, or cannot see the GPUs.
    AgentNotReady,
    /// Pods are in the way that may not be evicted, or processes that belong to none.
    PreflightBlocked,
    /// Instances that others have made are in the way.
    ForeignInstances,
    /// An override counts on more GPUs than the node has for it.
    TooFewGpus,
    /// The device plugin does not advertise what its configuration says.
    NotAdvertised,
    /// The maintenance window is closed, or too little of it is left.
    WindowClosed,
    /// Everything is ready; enough other nodes are out of service.
    AwaitingSlot,
}

impl Waiting {
    /// The reason as conditions carry it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PolicyInvalid => "PolicyInvalid",
            Self::Paused => "Paused",
            Self::DryRun => "DryRun",
            Self::HeldByUser => "HeldByUser",
            Self::NodeNotReady => "NodeNotReady",
            Self::ForeignCordon => "ForeignCordon",
            Self::BackingOff => "BackingOff",
            Self::AgentNotReady => "AgentNotReady",
            Self::PreflightBlocked => "PreflightBlocked",
            Self::ForeignInstances => "ForeignInstances",
            Self::TooFewGpus => "TooFewGpus",
            Self::NotAdvertised => "NotAdvertised",
            Self::WindowClosed => "WindowClosed",
            Self::AwaitingSlot => "AwaitingSlot",
        }
    }

    /// Why a node waits whose policy cannot be followed because of this.
    pub(super) const fn because_of(problem: ProblemReason) -> Self {
        match problem {
            ProblemReason::ForeignInstances => Self::ForeignInstances,
            ProblemReason::TooFewGpus => Self::TooFewGpus,
            ProblemReason::Blocked | ProblemReason::NoInventory => Self::PreflightBlocked,
            ProblemReason::NotYetSupported
            | ProblemReason::UnknownTimeZone
            | ProblemReason::BadCron
            | ProblemReason::BadDuration
            | ProblemReason::BadWindow
            | ProblemReason::BadSelector
            | ProblemReason::UnknownProfile
            | ProblemReason::Conflict
            | ProblemReason::MigNotSupported
            | ProblemReason::NoPlacement => Self::PolicyInvalid,
        }
    }

    /// Whether people should hear of it by an event on the node: it is neither part of every operation nor told by the
    /// policy's own condition.
    pub(super) const fn is_news(self) -> bool {
        match self {
            Self::PolicyInvalid | Self::WindowClosed | Self::AwaitingSlot => false,
            Self::Paused
            | Self::DryRun
            | Self::HeldByUser
            | Self::NodeNotReady
            | Self::ForeignCordon
            | Self::BackingOff
            | Self::AgentNotReady
            | Self::PreflightBlocked
            | Self::ForeignInstances
            | Self::TooFewGpus
            | Self::NotAdvertised => true,
        }
    }

    /// Whether a slot is all that is missing, now or once the window opens.
    pub const fn wants_slot(self) -> bool {
        match self {
            Self::WindowClosed | Self::AwaitingSlot => true,
            Self::PolicyInvalid
            | Self::Paused
            | Self::DryRun
            | Self::HeldByUser
            | Self::NodeNotReady
            | Self::ForeignCordon
            | Self::BackingOff
            | Self::AgentNotReady
            | Self::PreflightBlocked
            | Self::ForeignInstances
            | Self::TooFewGpus
            | Self::NotAdvertised => false,
        }
    }
}

/// Why a node waits, in words, and until when if time alone ends it.
#[derive(Clone, Debug)]
pub(super) struct Wait {
    pub(super) reason: Waiting,
    pub(super) message: String,
    pub(super) until: Option<jiff::Timestamp>,
}

impl Wait {
    pub(super) fn new(reason: Waiting, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
            until: None,
        }
    }

    pub(super) fn until(mut self, moment: Option<jiff::Timestamp>) -> Self {
        self.until = moment;
        self
    }
}
