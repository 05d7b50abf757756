//! A node whose GPUs are served through MPS.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crds::gpu_node::{MpsDaemon, MpsState};
use crds::{GpuNode, GpuSharingPolicy};
use e2e::{FakeNode, Look, Mps, Workload, eventually, wait_within};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::Deployment;
use kube::Api;
use kube::api::DeleteParams;

use crate::ground::{GPU, Ground, LONG, POLICY, Result, between, node};

/// The node.
pub const NODE: &str = "n1";
/// Pods that share its GPUs.
pub const PODS: i32 = 4;
/// Pods on each GPU.
const MPS: &str = "{type: MPS, mps: {replicas: 4}}";
/// What a daemon says that has its limits, each client having a quarter of a GPU.
const LIMIT: (&str, &str) = ("get_default_active_thread_percentage", "25.0");
/// The pods.
const APP: &str = "model";

/// A server that lives: without a GPU NVIDIA's own ends at once.
const SERVER: &str = "#!/bin/sh\nexec sleep 1000\n";

/// The node, and all around it.
pub struct Served {
    pub ground: Ground,
    policy: GpuSharingPolicy,
}

impl Served {
    /// Its GPUs are served by NVIDIA's daemon, and pods use them.
    pub async fn start(control: &Path) -> Result<Self> {
        let two = node(NODE).gpus("A100-SXM4-40GB", 1).mps(control);
        let mut ground = Ground::install([two]).await?;
        play_servers(&mut ground)?;
        ground.cluster.start_programs().await?;
        let policy = ground.create_policy(MPS).await?;
        ground.in_sync(NODE, &policy).await?;
        let pods = Workload::new(APP).asks(GPU, 1);
        ground.run(&pods, PODS).await?;
        Ok(Self { ground, policy })
    }

    /// The daemons of the node.
    pub fn mps(&self) -> Result<&Mps> {
        Ok(self.node().mps().ok_or("the node has no MPS")?)
    }

    /// Whether a daemon answers that has its limits.
    pub fn answers(&self) -> Result<bool> {
        let (question, answer) = LIMIT;
        Ok(self.mps()?.ask_gpu(question).as_deref() == Some(answer))
    }

    /// The compute modes of the GPUs, each once.
    pub fn modes(&self) -> Result<String> {
        let gpus = self.node().gpus().gpus()?;
        let mut modes: Vec<_> = gpus
            .iter()
            .map(|gpu| format!("{:?}", gpu.compute_mode))
            .collect();
        modes.dedup();
        Ok(modes.join(" and "))
    }

    /// When the agent noticed a death at or after this moment, once it serves again.
    pub async fn noticed(&self, since: Timestamp) -> Result<Timestamp> {
        let at = |node: &GpuNode| {
            let mps = mps_of(node).filter(|mps| mps.state == MpsState::Running)?;
            let death = mps.last_death.as_ref()?;
            (death.at.0 >= since).then_some(death.at.0)
        };
        let nodes = self.ground.cluster.gpu_nodes();
        let what = "its agent serves again and tells of the death";
        let node = wait_within(LONG, &nodes, NODE, what, |node| at(node).is_some()).await?;
        self.ground.in_sync(NODE, &self.policy).await?;
        Ok(at(&node).ok_or("no death")?)
    }

    /// The pods go, and then the policy: how long the GPUs are not given back after that, and their compute modes then.
    pub async fn give_back(&self) -> Result<(SignedDuration, String)> {
        let cluster = &self.ground.cluster;
        let (params, policies) = (DeleteParams::default(), cluster.policies());
        let deployments: Api<Deployment> = Api::default_namespaced(cluster.client.clone());
        deployments.delete(APP, &params).await?;
        let nodes = cluster.gpu_nodes();
        let what = "its agent sees no pod";
        wait_within(LONG, &nodes, NODE, what, |node| !has_holders(node)).await?;
        let begun = Timestamp::now();
        policies.delete(POLICY, &params).await?;
        let mps = self.mps()?;
        eventually("the GPUs are given back", LONG, async || {
            // The note goes last: until then the agent is not done.
            let gone = mps.daemons().is_empty() && self.modes().is_ok_and(|it| it == "Default");
            Ok(if gone {
                Look::Done(())
            } else {
                Look::NotYet(format!("{:?}", self.modes()))
            })
        })
        .await?;
        Ok((between(begun, Timestamp::now()), self.modes()?))
    }

    fn node(&self) -> &FakeNode {
        self.ground.cluster.node(NODE)
    }
}

/// Whatever the agent says of its daemon.
fn mps_of(node: &GpuNode) -> Option<&MpsDaemon> {
    node.status.as_ref()?.agent.as_ref()?.mps.as_ref()
}

fn has_holders(node: &GpuNode) -> bool {
    let agent = node
        .status
        .as_ref()
        .and_then(|status| status.agent.as_ref());
    let mut gpus = agent.into_iter().flat_map(|agent| &agent.gpus);
    gpus.any(|gpu| !gpu.holders.is_empty())
}

/// The daemon finds servers that live where it looks first.
fn play_servers(ground: &mut Ground) -> Result<()> {
    let folder = ground.cluster.bed.folder().join("servers");
    fs::create_dir(&folder)?;
    let server = folder.join("nvidia-cuda-mps-server");
    fs::write(&server, SERVER)?;
    fs::set_permissions(&server, fs::Permissions::from_mode(0o755))?;
    let mut path = folder.into_os_string();
    path.push(":/usr/bin:/bin");
    let agents = &mut ground.cluster.agents;
    let agent = agents.remove(NODE).ok_or("the node has no agent")?;
    agents.insert(NODE.to_owned(), agent.env("PATH", path));
    Ok(())
}
