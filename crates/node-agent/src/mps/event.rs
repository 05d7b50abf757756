//! What there is to tell, as lines of JSON.

use plan::mps::Stage;
use serde::{Serialize, Serializer};

/// Something that has happened to one daemon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event")]
pub enum Event {
    /// It is at another stage.
    Stage {
        /// As one word: `Absent`, `Starting`, `Running`, `Dead`, `Stopping`, `MpsCrashLooping` or `TwoMpsOwners`.
        #[serde(serialize_with = "as_word")]
        stage: Stage,
        /// Its process: ours, or the other owner's.
        #[serde(skip_serializing_if = "Option::is_none")]
        pid: Option<i64>,
    },
    /// It has died, or ended as it was told to.
    DaemonEnded {
        /// How.
        status: String,
        /// The GPUs whose clients are cut off, by UUID.
        gpus: Vec<String>,
    },
    /// An agent has ended without giving back what its daemon had.
    Left {
        /// The GPUs whose clients are cut off, by UUID.
        gpus: Vec<String>,
    },
    /// A server has ended, and its clients with it.
    ServerEnded {
        /// Its process.
        pid: i32,
        /// 0 also if it was killed.
        status: i32,
        /// The GPUs that it had, by UUID.
        gpus: Vec<String>,
    },
    /// The servers are others than before.
    Servers {
        /// Their processes.
        pids: Vec<i32>,
    },
    /// Something was refused; it is tried again.
    Trouble {
        /// A sentence.
        message: String,
    },
}

/// The word for a stage.
pub fn word(stage: &Stage) -> &'static str {
    match stage {
        Stage::Absent => "Absent",
        Stage::Starting { .. } => "Starting",
        Stage::Running { .. } => "Running",
        Stage::Dead { .. } => "Dead",
        Stage::Stopping { .. } => "Stopping",
        Stage::CrashLooping { .. } => "MpsCrashLooping",
        Stage::TwoOwners { .. } => "TwoMpsOwners",
    }
}

fn as_word<S: Serializer>(stage: &Stage, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(word(stage))
}
