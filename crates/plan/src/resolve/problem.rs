//! What stands between a policy and a node.

use crate::reason::Reason;

/// Why a policy cannot be followed: for a condition, an event, or a terminal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct Problem {
    /// One word.
    pub reason: ProblemReason,
    /// The field in question, such as `spec.strategy.mig.layout`.
    pub path: String,
    /// What is wrong and what to do, as a sentence without its full stop.
    pub message: String,
}

impl Problem {
    pub(crate) fn new(
        reason: ProblemReason,
        path: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            reason,
            path: path.into(),
            message: message.into(),
        }
    }
}

/// One word for why a policy cannot be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProblemReason {
    /// The API has it, this version does not.
    NotYetSupported,
    /// A time zone that does not exist.
    UnknownTimeZone,
    /// Not a cron expression.
    BadCron,
    /// Not a length of time.
    BadDuration,
    /// A window that says neither when it starts nor how.
    BadWindow,
    /// A label selector that Kubernetes does not know.
    BadSelector,
    /// Not the name of a profile.
    UnknownProfile,
    /// Parts of the policy that NVIDIA's device plugin cannot do on one node at once.
    Conflict,
    /// The product has no MIG.
    MigNotSupported,
    /// The GPU cannot give to MPS clients what the policy says.
    MpsLimitsExceeded,
    /// The product has no place for this layout, whatever is on it.
    NoPlacement,
    /// The workloads need isolation that the strategy does not give.
    IsolationNotGiven,
    /// The workloads do not trust each other, and MPS lets a fault of one end all.
    NotTrusted,
    /// A workload needs more memory than any slice of the layout has.
    ProfileTooSmall,
    /// Those who may share a device need more memory than it has.
    MemoryOvercommitted,
    /// An override counts on more GPUs than the node has for it.
    TooFewGpus,
    /// Instances that others have made are in the way, and the policy does not say that they may go.
    ForeignInstances,
    /// Another manager divides the GPUs of the node.
    ForeignManager,
    /// Something else on this node is in the way.
    Blocked,
    /// The node's GPUs are not known, or what is known of them makes no sense.
    NoInventory,
}

impl ProblemReason {
    /// As it stands in the table of reasons.
    pub const fn reason(self) -> Reason {
        match self {
            Self::NotYetSupported => Reason::NotYetSupported,
            Self::UnknownTimeZone => Reason::UnknownTimeZone,
            Self::BadCron => Reason::BadCron,
            Self::BadDuration => Reason::BadDuration,
            Self::BadWindow => Reason::BadWindow,
            Self::BadSelector => Reason::BadSelector,
            Self::UnknownProfile => Reason::UnknownProfile,
            Self::Conflict => Reason::Conflict,
            Self::MigNotSupported => Reason::MigNotSupported,
            Self::MpsLimitsExceeded => Reason::MpsLimitsExceeded,
            Self::NoPlacement => Reason::NoPlacement,
            Self::IsolationNotGiven => Reason::IsolationNotGiven,
            Self::NotTrusted => Reason::NotTrusted,
            Self::ProfileTooSmall => Reason::ProfileTooSmall,
            Self::MemoryOvercommitted => Reason::MemoryOvercommitted,
            Self::TooFewGpus => Reason::TooFewGpus,
            Self::ForeignInstances => Reason::ForeignInstances,
            Self::ForeignManager => Reason::ForeignManager,
            Self::Blocked => Reason::Blocked,
            Self::NoInventory => Reason::NoInventory,
        }
    }

    /// Whether only this node is concerned. Anything else makes the policy invalid, and then nothing is changed on any
    /// node: a policy that cannot be satisfied is a mistake of whoever wrote it, a node in a bad state is not.
    pub const fn is_of_the_node(self) -> bool {
        match self {
            Self::TooFewGpus
            | Self::ForeignInstances
            | Self::ForeignManager
            | Self::Blocked
            | Self::NoInventory => true,
            Self::NotYetSupported
            | Self::UnknownTimeZone
            | Self::BadCron
            | Self::BadDuration
            | Self::BadWindow
            | Self::BadSelector
            | Self::UnknownProfile
            | Self::Conflict
            | Self::MigNotSupported
            | Self::MpsLimitsExceeded
            | Self::NoPlacement
            | Self::IsolationNotGiven
            | Self::NotTrusted
            | Self::ProfileTooSmall
            | Self::MemoryOvercommitted => false,
        }
    }
}
