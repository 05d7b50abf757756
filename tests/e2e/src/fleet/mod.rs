//! Nodes with simulated GPUs, run as tasks of the test.
//!
//! One watch of pods and one of nodes serve all of them; a change wakes each, and each looks at
//! its own part afresh.

mod fake_node;
mod log;
mod machine;
mod spec;
mod watch;

use std::fs;
use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::Node;
use kube::api::PostParams;
use kube::{Api, Client};
use nvml_sim::SimulatedNode;
use tokio::task::JoinSet;

use fake_node::is_ready;
pub use fake_node::{FakeNode, extended};
pub use spec::NodeSpec;

use crate::control_plane::Identity;
use crate::eventually::wait_for;
use crate::kubelet::PodResourcesServer;
use crate::mps::{Leftovers, Mps};
use crate::{Bed, Error, Result};
use log::Log;
use machine::Machine;
use watch::Watches;

/// Where the device plugin reads its configurations: (namespace, name) of a config map.
#[derive(Clone, Debug)]
pub struct PluginConfigMap {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Default for PluginConfigMap {
    fn default() -> Self {
        Self {
            namespace: "gpu-operator".to_owned(),
            name: "gpu-sharing-device-plugin".to_owned(),
        }
    }
}

/// Nodes of one bed. They stop living when it is dropped; their objects stay.
pub struct Fleet {
    folder: PathBuf,
    library: PathBuf,
    client: Client,
    admin: Client,
    plugin_configs: PluginConfigMap,
    watches: Watches,
    tasks: JoinSet<()>,
    leftovers: Vec<Leftovers>,
}

impl Fleet {
    /// A fleet without nodes, whose device plugins read the config map that the operator writes by
    /// default.
    pub async fn start(bed: &Bed) -> Result<Self> {
        Self::with_plugin_configs(bed, PluginConfigMap::default()).await
    }

    /// A fleet without nodes, whose device plugins read this config map.
    pub async fn with_plugin_configs(bed: &Bed, configs: PluginConfigMap) -> Result<Self> {
        let client = bed.client_of(Identity::Fleet).await?;
        let mut tasks = JoinSet::new();
        let watches = Watches::start(&client, &mut tasks).await?;
        Ok(Self {
            folder: bed.folder().join("nodes"),
            library: bed.driver().join("libnvidia-ml.so.1"),
            admin: bed.client().await?,
            client,
            plugin_configs: configs,
            watches,
            tasks,
            leftovers: Vec::new(),
        })
    }

    /// Adds a node and waits until it is Ready and its device plugin has advertised something, if it
    /// has GPUs.
    pub async fn add(&mut self, spec: NodeSpec) -> Result<FakeNode> {
        let folder = self.folder.join(&spec.name);
        fs::create_dir_all(&folder).map_err(Error::file("create", &folder))?;
        let gpus = SimulatedNode::create(folder.join("gpus.json"), None, &spec.gpus)?;
        let mps = spec.mps.clone();
        let mps = mps.map(|control| Mps::of(control, folder.join("mps")));
        let mps = mps.transpose()?;
        let node = FakeNode::new(
            spec.clone(),
            gpus,
            self.library.clone(),
            PodResourcesServer::default(),
            mps.clone(),
            self.admin.clone(),
        );
        self.leftovers.extend(mps.map(Leftovers));
        self.run(&node, &folder)?;
        node.create().await?;
        Ok(node)
    }

    /// Starts the node's kubelet and device plugin.
    fn run(&mut self, node: &FakeNode, folder: &Path) -> Result<()> {
        let listening = node.pod_resources().listen(&node.pod_resources_socket())?;
        self.tasks.spawn(listening);
        let machine = Machine::new(
            node,
            self.client.clone(),
            self.plugin_configs.clone(),
            self.watches.clone(),
            Log::open(&folder.join("node.log"))?,
        );
        self.tasks.spawn(machine.run());
        Ok(())
    }

    /// Nodes that no test minds: somewhere for the operator's pod to be. They have no GPUs.
    pub async fn add_plain(&mut self, name: &str) -> Result<()> {
        let nodes: Api<Node> = Api::all(self.admin.clone());
        let node = NodeSpec::new(name).node();
        let made = nodes.create(&PostParams::default(), &node).await;
        made.map_err(Error::api(format!("create node {name}")))?;
        wait_for(&nodes, name, "Ready", is_ready).await.map(drop)
    }
}
