//! NVIDIA's programs that keep a GPU open on a node, and the labels by which they are deployed there.

use std::collections::BTreeSet;

use crds::names::{GPU_CLIENT_LABELS, GPU_CLIENT_PAUSED};
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::ResourceExt;

/// NVIDIA's GPU clients on a node, by their deploy labels. Any value but `true` keeps a client away, and the GPU operator leaves
/// a value that is there alone (`NVIDIA/gpu-operator` v26.7.0, `controllers/state_manager.go:478-491`). So the value that
/// the operator pauses with is all the memory that is needed: it is there exactly while a client is paused, and only in place
/// of `true`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GpuClients {
    /// Labels of clients that run.
    pub running: BTreeSet<String>,
    /// Labels of clients that the operator has paused.
    pub paused: BTreeSet<String>,
}

impl GpuClients {
    /// Those of a node.
    pub(super) fn of(node: &Node) -> Self {
        let with = |wanted: &str| {
            let labels = GPU_CLIENT_LABELS.into_iter();
            let labels =
                labels.filter(|key| node.labels().get(*key).is_some_and(|it| it == wanted));
            labels.map(str::to_owned).collect()
        };
        Self {
            running: with("true"),
            paused: with(GPU_CLIENT_PAUSED),
        }
    }
}

/// The deploy labels that a pod needs on its node.
pub(crate) fn labels_of(pod: &Pod) -> BTreeSet<String> {
    let spec = pod.spec.as_ref();
    let selector = spec.and_then(|spec| spec.node_selector.as_ref());
    let keys = selector.into_iter().flat_map(|selector| selector.keys());
    keys.filter(|key| GPU_CLIENT_LABELS.contains(&key.as_str()))
        .cloned()
        .collect()
}
