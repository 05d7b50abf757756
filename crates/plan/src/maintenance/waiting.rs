//! Why a node waits.

use super::survey;
use crate::reason::Reason;
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
    /// Another manager divides the GPUs of the node; or the node is being taken over from it.
    ForeignManager,
    /// NVIDIA's driver upgrade is under way on the node, or has failed there.
    DriverUpgrade,
    /// An override counts on more GPUs than the node has for it.
    TooFewGpus,
    /// The device plugin's configuration was published a moment ago, and the kubelet takes time to bring it to the plugin.
    AwaitingKubelet,
    /// The device plugin does not advertise what its configuration says.
    NotAdvertised,
    /// The policy wants MPS, and the node's agent is not allowed to run its daemon.
    MpsNotEnabled,
    /// The policy wants MPS, and NVIDIA's own MPS daemon is on the node.
    TwoMpsOwners,
    /// The maintenance window is closed, or too little of it is left.
    WindowClosed,
    /// The policy admits no node at all.
    Frozen,
    /// Everything is ready; enough other nodes are out of service.
    AwaitingSlot,
}

impl Waiting {
    /// As it stands in the table of reasons.
    pub const fn reason(self) -> Reason {
        match self {
            Self::PolicyInvalid => Reason::PolicyInvalid,
            Self::Paused => Reason::Paused,
            Self::DryRun => Reason::DryRun,
            Self::HeldByUser => Reason::HeldByUser,
            Self::NodeNotReady => Reason::NodeNotReady,
            Self::ForeignCordon => Reason::ForeignCordon,
            Self::BackingOff => Reason::BackingOff,
            Self::AgentNotReady => Reason::AgentNotReady,
            Self::PreflightBlocked => Reason::PreflightBlocked,
            Self::ForeignInstances => Reason::ForeignInstances,
            Self::ForeignManager => Reason::ForeignManager,
            Self::DriverUpgrade => Reason::DriverUpgrade,
            Self::TooFewGpus => Reason::TooFewGpus,
            Self::AwaitingKubelet => Reason::AwaitingKubelet,
            Self::NotAdvertised => Reason::NotAdvertised,
            Self::MpsNotEnabled => Reason::MpsNotEnabled,
            Self::TwoMpsOwners => Reason::TwoMpsOwners,
            Self::WindowClosed => Reason::WindowClosed,
            Self::Frozen => Reason::Frozen,
            Self::AwaitingSlot => Reason::AwaitingSlot,
        }
    }

    /// Why a node waits whose policy cannot be followed because of this.
    pub(super) const fn because_of(problem: ProblemReason) -> Self {
        match problem {
            ProblemReason::ForeignInstances => Self::ForeignInstances,
            ProblemReason::TooFewGpus => Self::TooFewGpus,
            ProblemReason::ForeignManager => Self::ForeignManager,
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
            | ProblemReason::MpsLimitsExceeded
            | ProblemReason::NoPlacement
            | ProblemReason::IsolationNotGiven
            | ProblemReason::NotTrusted
            | ProblemReason::ProfileTooSmall
            | ProblemReason::MemoryOvercommitted => Self::PolicyInvalid,
        }
    }

    /// Whether people should hear of it by an event on the node: it is neither part of every operation nor told by the
    /// policy's own condition.
    pub(super) const fn is_news(self) -> bool {
        match self {
            Self::PolicyInvalid
            | Self::AwaitingKubelet
            | Self::WindowClosed
            | Self::AwaitingSlot => false,
            Self::Paused
            | Self::DryRun
            | Self::HeldByUser
            | Self::NodeNotReady
            | Self::ForeignCordon
            | Self::BackingOff
            | Self::AgentNotReady
            | Self::PreflightBlocked
            | Self::ForeignInstances
            | Self::ForeignManager
            | Self::DriverUpgrade
            | Self::TooFewGpus
            | Self::NotAdvertised
            | Self::MpsNotEnabled
            | Self::TwoMpsOwners
            | Self::Frozen => true,
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
            | Self::ForeignManager
            | Self::DriverUpgrade
            | Self::TooFewGpus
            | Self::AwaitingKubelet
            | Self::NotAdvertised
            | Self::MpsNotEnabled
            | Self::TwoMpsOwners
            | Self::Frozen => false,
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

    /// The same, and why devices that stay have to be emptied then.
    pub(super) fn and_empty(mut self, because: &[String]) -> Self {
        if !because.is_empty() {
            let because = survey::some(because, String::clone);
            self.message = format!("{}; pods must leave then: {because}", self.message);
        }
        self
    }

    pub(super) fn until(mut self, moment: Option<jiff::Timestamp>) -> Self {
        self.until = moment;
        self
    }
}
