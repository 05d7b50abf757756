//! What the operator keeps in memory of the cluster: policies, `GpuNode`s, nodes and the device plugin's
//! configurations, each slimmed to what is read.
//!
//! ```text
//!   watch ──► guard (one unreadable object stops nobody) ──► slim ──► store, read by everybody
//!                                                              └────► changes that can matter ──► wakes
//! ```
//!
//! Pods are not here: they are listed per node, while that node is planned for or worked on.

mod cache;
mod slim;

pub use cache::{Cache, Change, Filler};
pub use slim::Slim;

use crds::{GpuNode, GpuSharingPolicy};
use k8s_openapi::api::core::v1::{ConfigMap, Node};
use kube::core::DeserializeGuard;
use kube::runtime::watcher;
use kube::{Api, Client, Resource};
use process::admin::Readiness;

use crate::api::PluginConfigMap;

/// All caches.
#[derive(Clone, Debug)]
pub struct Caches {
    /// Every policy.
    pub policies: Cache<GpuSharingPolicy>,
    /// Every `GpuNode`.
    pub gpu_nodes: Cache<GpuNode>,
    /// Every node, with GPUs or without.
    pub nodes: Cache<Node>,
    /// The device plugin's `ConfigMap`: this one, or none.
    pub plugin_configs: Cache<ConfigMap>,
}

/// What fills them; each is to be run as a task of its own.
#[derive(Debug)]
pub struct Fillers {
    /// Of [`Caches::policies`].
    pub policies: Filler<GpuSharingPolicy>,
    /// Of [`Caches::gpu_nodes`].
    pub gpu_nodes: Filler<GpuNode>,
    /// Of [`Caches::nodes`].
    pub nodes: Filler<Node>,
    /// Of [`Caches::plugin_configs`].
    pub plugin_configs: Filler<ConfigMap>,
}

/// Empty caches, and what fills them. Each opens a gate of its own when it has seen everything once.
pub fn new(client: &Client, plugin: &PluginConfigMap, readiness: &Readiness) -> (Caches, Fillers) {
    let all = watcher::Config::default();
    let ours = all
        .clone()
        .fields(&format!("metadata.name={}", plugin.name));
    let configs = Api::namespaced(client.clone(), &plugin.namespace);
    let (policies, policy_filler) =
        cache::new(everywhere(client), all.clone(), readiness, "policies");
    let (gpu_nodes, gpu_node_filler) =
        cache::new(everywhere(client), all.clone(), readiness, "gpunodes");
    let (nodes, node_filler) = cache::new(everywhere(client), all, readiness, "nodes");
    let (plugin_configs, config_filler) =
        cache::new(configs, ours, readiness, "device plugin configs");
    let caches = Caches {
        policies,
        gpu_nodes,
        nodes,
        plugin_configs,
    };
    let fillers = Fillers {
        policies: policy_filler,
        gpu_nodes: gpu_node_filler,
        nodes: node_filler,
        plugin_configs: config_filler,
    };
    (caches, fillers)
}

fn everywhere<K: Resource<DynamicType = ()>>(client: &Client) -> Api<DeserializeGuard<K>> {
    Api::all(client.clone())
}
