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

use std::sync::Arc;

use cache::Unreadable::{Alone, Blocks};
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
    /// Every policy, in force or not.
    pub policies: Cache<GpuSharingPolicy>,
    /// The operator is being uninstalled: no policy is in force any more.
    winding_down: bool,
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
    // Without a policy that cannot be read, its nodes would seem to be another one's, or nobody's.
    let (policies, policy_filler) = cache::new(
        everywhere(client),
        all.clone(),
        readiness,
        "policies",
        Blocks,
    );
    let (gpu_nodes, gpu_node_filler) = cache::new(
        everywhere(client),
        all.clone(),
        readiness,
        "gpunodes",
        Alone,
    );
    let (nodes, node_filler) = cache::new(everywhere(client), all, readiness, "nodes", Alone);
    let (plugin_configs, config_filler) =
        cache::new(configs, ours, readiness, "device plugin configs", Alone);
    let caches = Caches {
        policies,
        winding_down: false,
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

impl Caches {
    /// The same, with no policy in force.
    pub fn winding_down(self) -> Self {
        let winding_down = true;
        Self {
            winding_down,
            ..self
        }
    }

    /// The policies that nodes are to follow.
    pub fn policies_in_force(&self) -> Vec<Arc<GpuSharingPolicy>> {
        if self.winding_down {
            return Vec::new();
        }
        self.policies.all()
    }

    /// Completes when all of them have seen everything once. Nothing may be decided before: a node
    /// whose policy has not been seen yet would be taken for one without.
    pub async fn filled(&self) {
        self.policies.filled().await;
        self.gpu_nodes.filled().await;
        self.nodes.filled().await;
        self.plugin_configs.filled().await;
    }
}

fn everywhere<K: Resource<DynamicType = ()>>(client: &Client) -> Api<DeserializeGuard<K>> {
    Api::all(client.clone())
}
