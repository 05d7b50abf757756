//! The nodes of a cluster, from a file.

use std::collections::BTreeMap;
use std::path::Path;

use crds::GpuNode;
use crds::gpu_node::GpuStatus;
use k8s_openapi::api::core::v1::Node;
use kube::ResourceExt;

use crate::files::{self, Error};

/// A node with GPUs.
#[derive(Debug)]
pub struct GpuHost {
    /// Its name.
    pub name: String,
    /// Labels of its Node.
    pub labels: BTreeMap<String, String>,
    /// What its agent has reported.
    pub gpus: Vec<GpuStatus>,
}

/// The nodes with GPUs, by name.
pub fn read(path: &Path) -> Result<Vec<GpuHost>, Error> {
    let objects = files::objects(path)?;
    let nodes: Vec<Node> = files::of_kind(path, &objects, "Node")?;
    let labels: BTreeMap<_, _> = nodes
        .into_iter()
        .map(|node| (node.name_any(), node.metadata.labels.unwrap_or_default()))
        .collect();
    let gpu_nodes: Vec<GpuNode> = files::of_kind(path, &objects, "GpuNode")?;
    let mut hosts: Vec<_> = gpu_nodes
        .into_iter()
        .map(|gpu_node| {
            let name = gpu_node.name_any();
            let agent = gpu_node.status.and_then(|status| status.agent);
            GpuHost {
                labels: labels.get(&name).cloned().unwrap_or_default(),
                gpus: agent.map(|agent| agent.gpus).unwrap_or_default(),
                name,
            }
        })
        .collect();
    hosts.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(hosts)
}
