//! The nodes of a cluster, from a file.

use std::collections::BTreeMap;
use std::path::Path;

use crds::GpuNode;
use crds::gpu_node::GpuStatus;
use k8s_openapi::api::core::v1::Node;
use kube::ResourceExt;
use plan::neighbours::Neighbours;

use crate::files::{self, Error};

/// A node with GPUs.
#[derive(Debug)]
pub struct GpuHost {
    /// Its name.
    pub name: String,
    /// Labels of its Node.
    pub labels: BTreeMap<String, String>,
    /// Who else has to do with its GPUs.
    pub neighbours: Neighbours,
    /// What its agent has reported.
    pub gpus: Vec<GpuStatus>,
}

/// The nodes with GPUs, by name.
pub fn read(path: &Path) -> Result<Vec<GpuHost>, Error> {
    let objects = files::objects(path)?;
    let nodes: Vec<Node> = files::of_kind(path, &objects, "Node")?;
    let nodes: BTreeMap<_, _> = nodes
        .into_iter()
        .map(|node| (node.name_any(), node))
        .collect();
    let gpu_nodes: Vec<GpuNode> = files::of_kind(path, &objects, "GpuNode")?;
    let mut hosts: Vec<_> = gpu_nodes
        .into_iter()
        .map(|gpu_node| {
            let name = gpu_node.name_any();
            let agent = gpu_node.status.and_then(|status| status.agent);
            let node = nodes.get(&name);
            GpuHost {
                labels: node.map(|node| node.labels().clone()).unwrap_or_default(),
                neighbours: node.map(Neighbours::of).unwrap_or_default(),
                gpus: agent.map(|agent| agent.gpus).unwrap_or_default(),
                name,
            }
        })
        .collect();
    hosts.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(hosts)
}
