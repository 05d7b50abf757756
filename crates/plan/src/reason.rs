//! The one table of reasons: every word that a condition, an event, an outcome or a blocked pod carries as its reason.
//!
//! A reason is for programs and for people who search; the sentence beside it says what happened. A word is never taken
//! away or given another meaning while somebody may watch for it.

#[cfg(test)]
mod tests;

/// Makes the enum, so that the word, the list and the documentation cannot differ.
macro_rules! reasons {
    ($(#[doc = $meaning:literal] $name:ident,)*) => {
        /// One word for why something is so, or what has happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason {
            $(#[doc = $meaning] $name,)*
        }

        impl Reason {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// As conditions and events carry it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// What it means, in one line.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => $meaning.trim_ascii(),)*
                }
            }
        }
    };
}

reasons! {
    // Why a node waits in phase Pending.

    /// The policy cannot be followed, here or on another of its nodes.
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
    /// Instances that others have made are in the way, and the policy does not say that they may go.
    ForeignInstances,
    /// Another manager divides the GPUs of the node; or the node is being taken over from it.
    ForeignManager,
    /// NVIDIA's driver upgrade is under way on the node, or has failed there.
    DriverUpgrade,
    /// An override counts on more GPUs than the node has for it.
    TooFewGpus,
    /// The device plugin's configuration is new, and the kubelet takes time to bring it there.
    AwaitingKubelet,
    /// The device plugin does not advertise what its configuration says.
    NotAdvertised,
    /// The policy wants MPS, and the node's agent is not allowed to run its daemon.
    MpsNotEnabled,
    /// The maintenance window is closed, too short, or too little of it is left.
    WindowClosed,
    /// The policy admits no node: `maxUnavailable` is 0.
    Frozen,
    /// Everything is ready; enough other nodes are out of service.
    AwaitingSlot,

    // How it is with a node.

    /// The GPUs are as the policy says; of a policy: on all its nodes.
    InSync,
    /// Only the device plugin's configuration changes.
    ConfigOnly,
    /// An operation is under way.
    InMaintenance,
    /// The operator has cordoned the node for an operation.
    Maintenance,
    /// The operator does not keep the node cordoned.
    NotCordoned,
    /// Nobody holds the node.
    NotHeld,
    /// The GPUs are in a known state.
    NotQuarantined,
    /// Nothing stands in the way of the drain.
    NotBlocked,
    /// The device plugin has yet to read the new devices.
    AwaitingPlugin,
    /// The same, and the numbers are right already by coincidence.
    SameNumbers,
    /// The device plugin was told, and gets the time to read the devices.
    Settling,
    /// The node advertises the devices that it has.
    Validated,

    // What happens in an operation.

    /// The node was cordoned.
    NodeCordoned,
    /// Pods that were promised to finish are waited for.
    WaitingForJobs,
    /// Pods are being evicted.
    DrainStarted,
    /// Pods cannot be evicted now.
    DrainBlocked,
    /// The drain took longer than the policy allows.
    DrainTimedOut,
    /// Nobody who must leave is left.
    DrainCompleted,
    /// A pod was evicted for an operation.
    Evicted,
    /// A pod was deleted past its disruption budgets, because the policy says so.
    ForceDeleted,
    /// The policy wants pods deleted past their disruption budgets, and the operator may not delete pods.
    ForceNotAllowed,
    /// A pod's protection cannot be read, so it is not protected.
    ProtectionUnreadable,
    /// The agent may change the GPUs.
    RepartitionStarted,
    /// The GPUs are as asked for.
    RepartitionSucceeded,
    /// A step failed; the layout from before is being restored.
    RepartitionFailed,
    /// The layout from before is back.
    RollbackSucceeded,
    /// A step failed, and so did going back.
    RollbackFailed,
    /// The policy asks for something else by now; the node stays cordoned for it.
    Retargeted,
    /// The node was taken from NVIDIA's MIG Manager, because the policy says so.
    NodeTakenOver,
    /// NVIDIA's MIG Manager may divide the node's GPUs again.
    NodeGivenBack,
    /// NVIDIA's GPU clients are kept away from the node while the mode of its GPUs changes.
    GpuClientsPaused,
    /// NVIDIA's GPU clients run again.
    GpuClientsResumed,
    /// Pods of NVIDIA's device plugin were deleted, because they had not taken their configuration in time.
    DevicePluginRestarted,
    /// The node was uncordoned.
    NodeUncordoned,
    /// The node stays cordoned: the cordon is somebody else's.
    ForeignCordonPreserved,
    /// Nothing is changed for now.
    MaintenanceDeferred,
    /// The node stays cordoned until a person has looked.
    NodeQuarantined,
    /// A node was released that no operation was under way on.
    OrphanCordonReleased,
    /// The operator is uninstalled, and the node stays as it is.
    LeftCordoned,

    // How an operation ended.

    /// The GPUs are as the policy says, and the node advertises them.
    Succeeded,
    /// Nothing had to be changed any more.
    NotNeeded,
    /// The policy asks for something else, or for nothing.
    TargetChanged,
    /// The slot was taken back.
    SlotLost,
    /// The agent refused the target.
    AgentRefused,
    /// The agent did not answer, or fell silent.
    AgentLost,
    /// The agent did not begin in time.
    AgentStuck,
    /// NVIDIA's GPU clients were told to end, and kept the GPUs open for too long.
    GpuClientsStuck,
    /// What the agent was asked, or what it answered, was taken back by somebody.
    RequestLost,
    /// The node could not be cordoned in time.
    CordonFailed,
    /// Somebody has uncordoned the node, or has taken it for themselves.
    ExternalUncordon,
    /// A pod came onto an affected device after the drain.
    DevicesHeld,
    /// The agent did not finish in time.
    RepartitionTimedOut,
    /// The layout from before was not restored in time.
    RollbackTimedOut,
    /// A step failed, and the layout from before is back.
    RolledBack,
    /// The node did not advertise the new devices in time.
    ValidationTimedOut,
    /// The GPUs were in an unknown state.
    Quarantined,

    // What the MPS daemon of a node does.

    /// The daemon serves its GPUs with their limits.
    MpsServing,
    /// No operation has asked for MPS.
    MpsNotWanted,
    /// The daemon is being started, or started again.
    MpsStarting,
    /// The daemon has died, and every client with it.
    MpsDaemonDied,
    /// A server has died, and its clients with it.
    MpsServerDied,
    /// The daemon or its servers died too often; it stays down.
    MpsCrashLooping,
    /// Another MPS daemon has the pipe directory, or NVIDIA's own is on the node.
    TwoMpsOwners,
    /// Pods have a GPU through a daemon or a server that is gone, and have to be started again.
    MpsClientsCutOff,
    /// Every pod with a GPU of the daemon was started after it.
    MpsClientsConnected,

    // Why a pod cannot be evicted.

    /// A disruption budget allows no further eviction now.
    DisruptionBudget,
    /// A disruption budget allows no eviction, and never will as things are.
    HopelessDisruptionBudget,
    /// Several disruption budgets select the pod; the API server then evicts it never.
    MultipleDisruptionBudgets,
    /// Nobody would make the pod anew.
    NoController,
    /// The pod has data in an emptyDir.
    EmptyDir,
    /// The pod's owner does not want it evicted.
    DoNotEvict,
    /// The policy's `podSelector` leaves the pod out.
    NotSelected,
    /// A `DaemonSet` would make the pod anew on the same node.
    DaemonSet,
    /// The kubelet has the pod from a file.
    MirrorPod,
    /// A process without a pod uses the device.
    UnknownProcess,
    /// The pod was asked to end, and does not.
    StuckTerminating,

    // What is wrong with a policy.

    /// The policy can be followed.
    Valid,
    /// The policy can be followed, and something in it hardly does what was meant.
    ValidWithWarnings,
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
    /// Something else on this node is in the way.
    Blocked,
    /// The node's GPUs are not known, or what is known of them makes no sense.
    NoInventory,

    // How it is with a policy.

    /// See the condition `Valid`.
    Invalid,
    /// No node with GPUs is selected.
    NoNodes,
    /// Not all nodes are as the policy says yet.
    NodesDiffer,
    /// No node is being changed.
    Idle,
    /// Nodes are being changed.
    NodesInMaintenance,
    /// There are no windows: changes may begin at any time.
    Always,
    /// A window is open.
    Open,
    /// No window is open.
    Closed,
    /// A blackout is on.
    Blackout,
    /// No window will ever open.
    NeverOpens,
    /// Too many operations in a row did not succeed.
    TooManyFailures,
    /// Too many of the policy's nodes are quarantined.
    TooManyQuarantined,
    /// Operations may begin.
    NotHalted,
    /// No operation begins until a person clears it.
    RolloutHalted,

    // What the agent says.

    /// The driver answers, and who holds the GPUs is known.
    Observed,
    /// The driver does not answer.
    NoDriver,
    /// The driver shows no GPU.
    NoGpus,
    /// The file with the boot id cannot be read.
    BootIdUnreadable,
    /// The kubelet does not say who holds the GPUs.
    HoldersUnknown,
    /// The journal cannot be written.
    JournalUnwritable,
    /// Another agent has the journal.
    JournalTaken,
    /// The journal is in order.
    Readable,
    /// A journal is kept that nobody can read.
    Unreadable,
    /// Every MIG mode that was set is in effect.
    InEffect,
    /// A MIG mode is in effect only after the next reset.
    ModePending,
    /// Only a reboot brings a MIG mode into effect.
    RebootRequired,
    /// The GPUs are as last verified.
    AsVerified,
    /// No operation has set these GPUs yet.
    NothingVerified,
    /// The GPUs are not as last verified.
    Differs,
    /// The GPUs could not be put in order after a reboot.
    NotRestored,
    /// Every instance was made by this agent.
    AllOurs,
    /// Somebody else has made or divided instances.
    NotOurs,

    // What the API server answers.

    /// The API server does not let the operator do it.
    Forbidden,
    /// What is to be written does not exist.
    NotFound,
    /// The API server does not accept what is written.
    Rejected,
    /// The API server asks to slow down.
    Throttled,
    /// The API server has trouble.
    ServerError,
    /// The API server could not be reached.
    Unreachable,
    /// The API server did not answer in time.
    NoAnswer,
    /// The leader's lease ends too soon to begin anything.
    LeaseEnds,
    /// The namespace of the device plugin does not exist.
    NoPluginNamespace,
    /// The API server sent an object that lacks something.
    Incomplete,
    /// The API server answered with something else.
    Error,
}

impl Reason {
    /// The reason of this word. Anything that is no word of the table is [`Reason::Error`]: only somebody else can have
    /// written it.
    pub fn of(word: &str) -> Self {
        let all = Self::ALL.iter().copied();
        let mut found = all.filter(|reason| reason.as_str() == word);
        found.next().unwrap_or(Self::Error)
    }
}
