//! What a node is to be.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::{Node, NodeStatus, NodeSystemInfo};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

/// A node to be made.
#[derive(Clone, Debug)]
pub struct NodeSpec {
    pub(super) name: String,
    pub(super) gpus: Vec<String>,
    pub(super) mps: Option<PathBuf>,
    labels: BTreeMap<String, String>,
}

impl NodeSpec {
    /// A node without GPUs.
    pub fn new(name: &str) -> Self {
        let labels = [
            ("kubernetes.io/hostname", name),
            ("kubernetes.io/os", "linux"),
            ("kubernetes.io/arch", "amd64"),
            ("beta.kubernetes.io/os", "linux"),
            ("beta.kubernetes.io/arch", "amd64"),
        ];
        Self {
            name: name.to_owned(),
            gpus: Vec::new(),
            mps: None,
            labels: labels
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
        }
    }

    /// With so many GPUs more, of a product that `nvml_sim` knows, and the labels that NVIDIA's GPU
    /// feature discovery would give it.
    #[must_use]
    pub fn gpus(mut self, product: &str, count: usize) -> Self {
        self.gpus
            .extend(std::iter::repeat_n(product.to_owned(), count));
        self.label("nvidia.com/gpu.present", "true")
            .label("nvidia.com/gpu.product", product)
    }

    /// With this MPS control program, which its agent may run.
    #[must_use]
    pub fn mps(mut self, control: &Path) -> Self {
        self.mps = Some(control.to_path_buf());
        self
    }

    /// With a label more.
    #[must_use]
    pub fn label(mut self, key: &str, value: &str) -> Self {
        self.labels.insert(key.to_owned(), value.to_owned());
        self
    }

    /// The object, whole: what a kubelet would have reported, and KWOK's annotation.
    pub(super) fn node(&self) -> Node {
        let mut node = Node::default();
        node.metadata.name = Some(self.name.clone());
        node.metadata.labels = Some(self.labels.clone());
        let fake = ("kwok.x-k8s.io/node".to_owned(), "fake".to_owned());
        node.metadata.annotations = Some([fake].into());
        let resources: BTreeMap<_, _> = [("cpu", "64"), ("memory", "256Gi"), ("pods", "110")]
            .map(|(name, amount)| (name.to_owned(), Quantity(amount.to_owned())))
            .into();
        node.status = Some(NodeStatus {
            capacity: Some(resources.clone()),
            allocatable: Some(resources),
            node_info: Some(NodeSystemInfo {
                architecture: "amd64".to_owned(),
                operating_system: "linux".to_owned(),
                kubelet_version: "v1.36.3".to_owned(),
                ..NodeSystemInfo::default()
            }),
            ..NodeStatus::default()
        });
        node
    }
}
