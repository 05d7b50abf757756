//! A bed with the product installed as users install it, and all of it running.

use std::collections::BTreeMap;

use crds::{GpuNode, GpuSharingPolicy};
use futures::future::try_join_all;
use kube::api::PostParams;
use kube::{Api, Client};

use crate::{
    Bed, Error, FakeNode, Fleet, NodeSpec, PluginConfigMap, Program, Result, install_product,
};

/// Where the operator's pod is.
const SYSTEM_NODE: &str = "system";

/// What most tests of the product begin with. The order of the fields is that of the end: programs
/// before nodes, nodes before the bed.
pub struct Cluster {
    /// The operator.
    pub operator: Program,
    /// Agents by node.
    pub agents: BTreeMap<String, Program>,
    /// Nodes with GPUs by name.
    pub nodes: BTreeMap<String, FakeNode>,
    /// To add more nodes.
    pub fleet: Fleet,
    /// The administrator.
    pub client: Client,
    /// The control plane.
    pub bed: Bed,
}

impl Cluster {
    /// Everything installed and its pods played; operator and agents not yet started.
    pub async fn install(nodes: impl IntoIterator<Item = NodeSpec>) -> Result<Self> {
        let bed = Bed::start().await?;
        let client = bed.client().await?;
        bed.create_namespace(&PluginConfigMap::default().namespace)
            .await?;
        let mut cluster = Self {
            operator: Program::operator(&bed, "operator")?,
            agents: BTreeMap::new(),
            nodes: BTreeMap::new(),
            fleet: Fleet::start(&bed).await?,
            client,
            bed,
        };
        install_product(&cluster.client).await?;
        cluster.fleet.add_plain(SYSTEM_NODE).await?;
        for node in nodes {
            cluster.add(node).await?;
        }
        Ok(cluster)
    }

    /// [`Self::install`], then operator and agents started and ready.
    pub async fn start(nodes: impl IntoIterator<Item = NodeSpec>) -> Result<Self> {
        let mut cluster = Self::install(nodes).await?;
        cluster.start_programs().await?;
        Ok(cluster)
    }

    /// Adds a node; its agent is not started.
    pub async fn add(&mut self, spec: NodeSpec) -> Result<()> {
        let node = self.fleet.add(spec).await?;
        let agent = Program::agent(&self.bed, &node)?;
        self.agents.insert(node.name().to_owned(), agent);
        self.nodes.insert(node.name().to_owned(), node);
        Ok(())
    }

    /// Starts operator and agents and waits until they are ready.
    pub async fn start_programs(&mut self) -> Result<()> {
        let client = &self.client;
        let programs = self.agents.values_mut().chain([&mut self.operator]);
        try_join_all(programs.map(async |program| {
            program.start(client).await?;
            program.wait_ready().await
        }))
        .await
        .map(drop)
    }

    /// A node by name.
    ///
    /// # Panics
    /// If there is none.
    pub fn node(&self, name: &str) -> &FakeNode {
        &self.nodes[name]
    }

    /// The agent of a node, to be ended and started.
    pub fn agent(&mut self, node: &str) -> Option<&mut Program> {
        self.agents.get_mut(node)
    }

    /// Policies, as the administrator.
    pub fn policies(&self) -> Api<GpuSharingPolicy> {
        Api::all(self.client.clone())
    }

    /// GPU nodes, as the administrator.
    pub fn gpu_nodes(&self) -> Api<GpuNode> {
        Api::all(self.client.clone())
    }

    /// Creates a policy from the YAML of its `spec`.
    pub async fn create_policy(&self, name: &str, spec: &str) -> Result<GpuSharingPolicy> {
        let wrong = |error: &dyn std::fmt::Display| Error::Malformed {
            what: format!("policy {name}"),
            wrong: error.to_string(),
        };
        let spec = serde_saphyr::from_str(spec).map_err(|error| wrong(&error))?;
        let policy = GpuSharingPolicy::new(name, spec);
        let made = self
            .policies()
            .create(&PostParams::default(), &policy)
            .await;
        made.map_err(Error::api(format!("create policy {name}")))
    }
}
