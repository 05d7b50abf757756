//! What is known of one daemon from look to look, what is seen of it, and what can be done.

use std::time::Duration;

use super::Limits;

/// What a daemon is to serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// UUIDs of its GPUs.
    pub gpus: Vec<String>,
    /// What it is told.
    pub limits: Limits,
}

/// What is remembered of one daemon between two looks. Times count from an origin of the caller's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Where it is.
    pub stage: Stage,
    /// When it, or a server of it, died lately; the oldest first.
    pub deaths: Vec<Duration>,
}

/// Where a daemon is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// None is wanted, or none was started yet.
    #[default]
    Absent,
    /// Started; does not serve yet.
    Starting {
        /// As what.
        setup: Setup,
        /// When it should serve.
        deadline: Duration,
    },
    /// Serves, with its limits in force.
    Running {
        /// As what.
        setup: Setup,
        /// When it last answered.
        heard: Duration,
    },
    /// Died, or could not be started; is started again.
    Dead {
        /// As what.
        setup: Setup,
        /// When.
        again: Duration,
    },
    /// Told to quit.
    Stopping {
        /// When it is killed.
        deadline: Duration,
    },
    /// Died too often: its GPUs are given back, and it stays down until something else is wanted of it.
    CrashLooping {
        /// What it was to serve.
        setup: Setup,
        /// When what is left of it is killed.
        deadline: Duration,
    },
    /// Another daemon has the pipe directory.
    TwoOwners {
        /// Its process.
        pid: i32,
    },
}

/// Who is behind the pipe directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behind {
    /// No daemon: the directory is absent, or left over.
    Nobody,
    /// Our child.
    Ours {
        /// Whether it has its limits, as read back.
        configured: bool,
        /// Whether it has answered since the last look.
        answered: bool,
    },
    /// A daemon that an agent of this node started, which has died since.
    Orphan,
    /// A daemon that somebody else started.
    Foreign {
        /// Its process.
        pid: i32,
    },
}

/// What a look has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Who serves.
    pub behind: Behind,
    /// Whether anything of a daemon of ours is left: a compute mode that may not be the default, a process, a file.
    pub residue: bool,
    /// Servers that have failed since the last look. The daemon starts another for the next client.
    pub failed_servers: usize,
}

/// What to do now. Each may fail, and is decided afresh at the next look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing until something changes, or until the stage's time has come.
    Rest,
    /// End what is left of the daemon before; then compute mode, directories, and the daemon.
    Start(Setup),
    /// Tell the daemon its limits, read them back, and mark it as started.
    Configure(Setup),
    /// Ask it to quit, without waiting for that.
    Quit,
    /// Kill it and its servers.
    Kill,
    /// Kill what is left of it, set the compute mode back to the default, remove what tells of it.
    Restore,
}
