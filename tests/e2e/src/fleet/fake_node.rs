//! One node, as a test holds it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::Node;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use nvml_sim::SimulatedNode;
use serde_json::{Value, json};

use super::NodeSpec;
use crate::eventually::{wait_for, wait_gone};
use crate::kubelet::{self, ListResponse, PodResourcesServer};
use crate::{Error, Mps, Result};

/// A node with simulated GPUs.
#[derive(Clone, Debug)]
pub struct FakeNode {
    spec: NodeSpec,
    gpus: SimulatedNode,
    library: PathBuf,
    pod_resources: PodResourcesServer,
    mps: Option<Mps>,
    nodes: Api<Node>,
}

impl FakeNode {
    pub(super) fn new(
        spec: NodeSpec,
        gpus: SimulatedNode,
        library: PathBuf,
        pod_resources: PodResourcesServer,
        mps: Option<Mps>,
        client: Client,
    ) -> Self {
        Self {
            spec,
            gpus,
            library,
            pod_resources,
            mps,
            nodes: Api::all(client),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// Its GPUs, to look at and to tamper with.
    pub fn gpus(&self) -> &SimulatedNode {
        &self.gpus
    }

    /// Its MPS daemons, if its agent may run any.
    pub fn mps(&self) -> Option<&Mps> {
        self.mps.as_ref()
    }

    /// The driver library, as the agent's `--nvml-library` wants it.
    pub fn driver_library(&self) -> &Path {
        &self.library
    }

    /// Where a test may put what stands in for NVIDIA's command, as the agent's `--nvidia-smi` wants it.
    pub fn nvidia_smi(&self) -> PathBuf {
        self.folder().join("nvidia-smi")
    }

    /// The folder of all that is the node's own.
    pub fn folder(&self) -> &Path {
        self.gpus.path().parent().unwrap_or(Path::new("/"))
    }

    /// The kubelet's socket, as the agent's `--pod-resources-socket` wants it.
    pub fn pod_resources_socket(&self) -> PathBuf {
        self.folder().join("pod-resources.sock")
    }

    /// Where the agent keeps its journal, as its `--journal-dir` wants it.
    pub fn journal_folder(&self) -> PathBuf {
        self.folder().join("journal")
    }

    pub(super) fn pod_resources(&self) -> &PodResourcesServer {
        &self.pod_resources
    }

    /// What the kubelet answers on that socket now.
    pub async fn list_pod_resources(&self) -> Result<ListResponse> {
        kubelet::ask(&self.pod_resources_socket()).await
    }

    /// What its kubelet, its device plugin and the plugin's config-manager said.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder().join("node.log")).unwrap_or_default()
    }

    /// Creates the object and waits until it is Ready, and advertises something if it has GPUs.
    pub async fn create(&self) -> Result<Node> {
        let (params, node) = (PostParams::default(), self.spec.node());
        let made = self.nodes.create(&params, &node).await;
        made.map_err(self.failed("create"))?;
        let has_gpus = !self.spec.gpus.is_empty();
        self.wait("Ready, its GPUs advertised", |node| {
            is_ready(node) && (!has_gpus || !extended(node).is_empty())
        })
        .await
    }

    /// Deletes the object and waits until it is gone. The machine goes on: what it holds stays.
    pub async fn delete(&self) -> Result<()> {
        let params = DeleteParams::default();
        let deleted = self.nodes.delete(self.name(), &params).await;
        deleted.map_err(self.failed("delete"))?;
        wait_gone(&self.nodes, self.name(), None).await
    }

    /// Sets labels, or removes those that are null.
    pub async fn label(&self, labels: Value) -> Result<Node> {
        self.merge(json!({"metadata": {"labels": labels}})).await
    }

    /// Changes the object by a merge patch, as an administrator.
    pub async fn merge(&self, patch: Value) -> Result<Node> {
        let (params, patch) = (PatchParams::default(), Patch::Merge(patch));
        let patched = self.nodes.patch(self.name(), &params, &patch).await;
        patched.map_err(self.failed("patch"))
    }

    /// The object.
    pub async fn get(&self) -> Result<Node> {
        let got = self.nodes.get(self.name()).await;
        got.map_err(self.failed("get"))
    }

    /// Waits until the object satisfies a condition.
    pub async fn wait(&self, what: &str, condition: impl FnMut(&Node) -> bool) -> Result<Node> {
        wait_for(&self.nodes, self.name(), what, condition).await
    }

    /// Waits until exactly this can be allocated, resources of which there are none left out.
    pub async fn wait_allocatable(&self, expected: &[(&str, usize)]) -> Result<Node> {
        let expected: BTreeMap<_, _> = expected
            .iter()
            .map(|(name, count)| ((*name).to_owned(), *count))
            .collect();
        let what = format!("allocatable is {expected:?}");
        self.wait(&what, |node| {
            let mut allocatable = extended(node);
            allocatable.retain(|_, count| *count > 0);
            allocatable == expected
        })
        .await
    }

    fn failed(&self, verb: &str) -> impl FnOnce(kube::Error) -> Error + use<> {
        Error::api(format!("{verb} node {}", self.name()))
    }
}

/// Whether its kubelet says that it is Ready, and the control plane has taken note: no taint.
pub fn is_ready(node: &Node) -> bool {
    let taints = node.spec.as_ref().and_then(|spec| spec.taints.as_ref());
    let conditions = node.status.iter().flat_map(|status| &status.conditions);
    let mut conditions = conditions.flatten();
    taints.is_none_or(Vec::is_empty)
        && conditions.any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

/// NVIDIA's resources that a node says can be allocated.
pub fn extended(node: &Node) -> BTreeMap<String, usize> {
    let allocatable = node
        .status
        .as_ref()
        .and_then(|status| status.allocatable.as_ref());
    allocatable
        .into_iter()
        .flatten()
        .filter(|(name, _)| name.starts_with("nvidia.com/"))
        .filter_map(|(name, count)| Some((name.clone(), count.0.parse().ok()?)))
        .collect()
}
