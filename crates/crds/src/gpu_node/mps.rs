//! The MPS control daemon of a node, as its agent sees it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The MPS control daemon of a node.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MpsDaemon {
    /// Where it is.
    pub state: MpsState,
    /// Who else has its pipe directory, or what else keeps it from serving: a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub trouble: Option<String>,
    /// When it was given up: it died, or could not be started, too often. Set with state `CrashLooping`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "MicroTime")]
    pub given_up: Option<MicroTime>,
    /// When the daemon that is there was started, or was to be. What had a GPU before that was a client of one that is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "MicroTime")]
    pub started_at: Option<MicroTime>,
    /// The latest death of the daemon or of a server of it, and whom it hit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "MpsDeath")]
    pub last_death: Option<MpsDeath>,
}

/// Where an MPS control daemon is.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, Hash, JsonSchema)]
pub enum MpsState {
    /// None is wanted, or none was started yet.
    Absent,
    /// Started; does not serve yet.
    Starting,
    /// Serves, with its limits in force.
    Running,
    /// Died, or could not be started; is started again.
    Dead,
    /// Told to quit.
    Stopping,
    /// Died too often: its GPUs are given back, and it stays down.
    CrashLooping,
    /// Another daemon has its pipe directory.
    TwoOwners,
}

/// A death that has cut clients off.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MpsDeath {
    /// When the agent noticed. No two deaths have the same.
    pub at: MicroTime,
    /// Who died.
    pub of: MpsProcess,
    /// How: a clause, such as `signal: 9 (SIGKILL)`.
    pub how: String,
    /// Pods that had a GPU of the daemon then, `namespace/name`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pods: Vec<String>,
}

/// A process of MPS.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, Hash, JsonSchema)]
pub enum MpsProcess {
    /// The control daemon: its servers die with it.
    Daemon,
    /// A server: the clients of one user.
    Server,
}
