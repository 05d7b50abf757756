//! An agent that looks when it is told to.

use std::path::PathBuf;

use crds::GpuNodeSpec;
use crds::gpu_node::{
    AgentOperation, AgentStage, AgentStatus, ChangeClass, Operation, OperationStage, Target,
};
use http::Method;
use process::admin::{Liveness, Readiness};
use prometheus_client::registry::Registry;
use tempfile::TempDir;
use tokio::sync::watch::{self, Sender};

use crate::agent::{Agent, Next, Paths};
use crate::api::Known;
use crate::api::fake::{FakeApi, Trouble};
use crate::driver::Gpus;
use crate::kubelet::Kubelet;
use crate::kubelet::played::PlayedKubelet;
use crate::metrics::Metrics;
use crate::mps::Mps;
use crate::mps::played::{PlayedDaemon, played};
use crate::world::{Shared, World, a100, cut, target};

/// A node, its API server, and the agent between them.
pub struct Bed {
    pub folder: TempDir,
    pub shared: Shared,
    pub api: FakeApi,
    pub kubelet: PlayedKubelet,
    pub readiness: Readiness,
    pub agent: Agent,
    /// The MPS daemon of the agent that runs now.
    pub daemon: PlayedDaemon,
    known: Sender<Known>,
}

impl Bed {
    /// A node with one A100, cut into small slices by us, whose `GpuNode` has been reported.
    pub async fn new() -> Self {
        let mut bed = Self::bare(World::new(vec![cut(a100("G"), &[])]));
        bed.look().await;
        bed
    }

    /// A node without a `GpuNode`, on which the agent has not looked yet.
    pub fn bare(world: World) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("boot_id"), "first\n").unwrap();
        let (known, heard) = watch::channel(Known::Absent);
        let (shared, api) = (Shared::new(world), FakeApi::default());
        let kubelet = PlayedKubelet::listen(folder.path());
        let readiness = Readiness::new();
        let (mps, daemon) = played(folder.path());
        let agent = agent(&folder, &shared, mps, &api, &kubelet, heard, &readiness);
        Self {
            folder,
            shared,
            api,
            kubelet,
            readiness,
            agent,
            daemon,
            known,
        }
    }

    /// The agent is killed, and another one started.
    pub fn restart(&mut self) {
        let (known, heard) = watch::channel(Known::Unknown);
        self.known = known;
        // The journal's lock is free only when the first one is gone.
        self.agent.engine = None;
        let (folder, shared) = (&self.folder, &self.shared);
        let (mps, daemon) = played(folder.path());
        self.daemon = daemon;
        self.agent = agent(
            folder,
            shared,
            mps,
            &self.api,
            &self.kubelet,
            heard,
            &self.readiness,
        );
        self.hear();
    }

    /// The watch brings the object as it is.
    pub fn hear(&self) {
        let object = self.api.object().map(Box::new);
        self.known
            .send_replace(object.map_or(Known::Absent, Known::Found));
    }

    /// The operator asks for operation 7.
    pub fn ask(&self, stage: OperationStage, target: Target) {
        self.api.set_spec(&spec(stage, target));
        self.hear();
    }

    pub async fn look(&mut self) -> Next {
        self.agent.look().await.unwrap()
    }

    /// Looks for as long as there is something to be done at once.
    pub async fn settle(&mut self) {
        for _ in 0..100 {
            if self.look().await != Next::Now {
                return;
            }
        }
        panic!("does not come to rest: {:?}", self.shared.world().taken);
    }

    pub fn said(&self) -> AgentStatus {
        let status = self.api.object().unwrap().status;
        status.unwrap().agent.unwrap()
    }

    pub fn operation(&self) -> AgentOperation {
        self.said().operation.unwrap()
    }

    pub fn stage(&self) -> AgentStage {
        self.operation().stage
    }

    pub fn error(&self) -> String {
        self.operation().error.unwrap()
    }

    /// Reason and message of the condition `Ready`, and whether it holds.
    pub fn ready(&self) -> (bool, String, String) {
        self.condition("Ready")
    }

    /// The same of this condition.
    pub fn condition(&self, kind: &str) -> (bool, String, String) {
        let conditions = self.said().conditions;
        let found = conditions.into_iter().find(|it| it.type_ == kind);
        let found = found.unwrap();
        (found.status == "True", found.reason, found.message)
    }

    pub fn taken(&self) -> usize {
        self.shared.world().taken.len()
    }

    pub fn journal(&self) -> PathBuf {
        self.folder.path().join("journal/journal.json")
    }

    /// The next patch goes wrong.
    pub fn trouble(&self, trouble: Trouble) {
        self.api.trouble(Method::PATCH, trouble);
    }
}

fn agent(
    folder: &TempDir,
    shared: &Shared,
    mps: Mps,
    api: &FakeApi,
    kubelet: &PlayedKubelet,
    heard: watch::Receiver<Known>,
    readiness: &Readiness,
) -> Agent {
    let paths = Paths {
        journal: folder.path().join("journal"),
        boot_id: folder.path().join("boot_id"),
    };
    let liveness = Liveness::new(std::time::Duration::MAX);
    Agent::new(
        paths,
        Gpus::start(shared.load(), liveness).unwrap(),
        mps,
        Kubelet::new(kubelet.socket()),
        api.gpu_nodes(),
        heard,
        Metrics::register(&mut Registry::default()),
        readiness,
    )
}

pub fn spec(stage: OperationStage, target: Target) -> GpuNodeSpec {
    GpuNodeSpec {
        policy: None,
        target: Some(target),
        operation: Some(Operation {
            id: 7,
            class: ChangeClass::Devices,
            stage,
        }),
    }
}

pub fn halves() -> Target {
    target("G", &[("3g.20gb", 0), ("3g.20gb", 4)])
}

pub fn small() -> Target {
    target("G", &[("1g.5gb", 0), ("1g.5gb", 1), ("1g.5gb", 2)])
}
