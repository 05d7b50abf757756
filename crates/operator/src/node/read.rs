//! Looking at a node: first in the caches, which costs nothing, and afresh where something is to be done.

use std::collections::BTreeSet;
use std::sync::Arc;

use crds::gpu_node::MaintenanceStatus;
use crds::{GpuNode, GpuSharingPolicy};
use futures::future::OptionFuture;
use futures::{FutureExt, try_join};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Node;
use kube::ResourceExt;
use plan::maintenance::{Limits, wants_diagnosis};
use plan::neighbours::Neighbours;
use plan::pod::{PodView, Until};
use plan::{drain, resolve};

use super::memory::Evictions;
use super::seen::{Pace, Seen};
use crate::api::Cluster;
use crate::caches::Caches;
use crate::error::Error;
use crate::wishes::{Wished, Wishes};

/// What a look afresh came to.
#[derive(Debug)]
pub enum Fresh {
    /// Everything, as it is now.
    Seen(Box<Seen>),
    /// The caches, or the policy controller, are behind what was read: look again when they have
    /// caught up.
    TooEarly,
    /// There is no such `GpuNode` any more.
    Gone,
}

/// What the caches say of a node: as much as decides whether there is anything to do. None: the node
/// is not in them yet.
pub fn cached(caches: &Caches, wishes: &Wishes, gpu_node: &Arc<GpuNode>) -> Option<Seen> {
    let node = caches.nodes.get(&gpu_node.name_any())?;
    let policies = caches.policies_in_force();
    let plan = wishes.of(&policies, gpu_node, &node);
    let winner = plan.policy.as_ref();
    Some(Seen {
        gpu_node: gpu_node.clone(),
        policy: winner.and_then(|name| caches.policies.get(name)),
        node: Some(node),
        pods: Vec::new(),
        budgets: Vec::new(),
        configs: caches.plugin_configs.all().into_iter().next(),
        stack: None,
        wished: plan,
    })
}

/// Reads everything that the next step may act on. Only the policies that do not win the node come
/// from the cache. Budgets are read only where one has refused an eviction.
pub async fn fresh(
    cluster: &Cluster,
    caches: &Caches,
    name: &str,
    evictions: &Evictions,
    now: Timestamp,
    limits: &Limits,
) -> Result<Fresh, Error> {
    // The node before the GpuNode: a marker that is seen here belongs to an operation that is seen
    // there, or is over.
    let node = cluster.node(name).await?.map(Arc::new);
    let refused_in = drain::namespaces(evictions.values());
    let (gpu_node, policies, configs, pods, budgets) = try_join!(
        cluster.gpu_node(name),
        policies(cluster, caches, node.as_deref()),
        cluster.plugin_configs(),
        cluster.pods_on(name),
        cluster.budgets(&refused_in).map(Ok),
    )?;
    let (gpu_node, policies) = match (gpu_node, policies) {
        (None, _) => return Ok(Fresh::Gone),
        (Some(_), None) => return Ok(Fresh::TooEarly),
        (Some(gpu_node), Some(policies)) => (Arc::new(gpu_node), policies),
    };
    let wants_stack = wants_diagnosis(&maintenance(&gpu_node), now, limits);
    let stack = OptionFuture::from(wants_stack.then(|| cluster.stack(&pods, configs.as_ref())));
    let stack = stack.await;
    let pods: Vec<_> = pods.iter().map(PodView::of).collect();
    let protected = protected(&pods, now);
    let plan = match node.as_deref() {
        Some(node) => {
            let neighbours = neighbours(cluster, node, &gpu_node).await?;
            Wished::plan(&policies, &gpu_node, node, &neighbours, &protected)
        }
        None => Wished::nothing(),
    };
    let winner = plan.policy.as_ref();
    let is_winner = |policy: &&Arc<GpuSharingPolicy>| Some(&policy.name_any()) == winner;
    let seen = Seen {
        pods,
        budgets,
        configs: configs.map(Arc::new),
        stack,
        policy: policies.iter().find(is_winner).cloned(),
        wished: Arc::new(plan),
        gpu_node,
        node,
    };
    Ok(if seen.is_too_early() {
        Fresh::TooEarly
    } else {
        Fresh::Seen(Box::new(seen))
    })
}

/// The pods, `namespace/name`, that must not be evicted now.
pub(super) fn protected(pods: &[PodView], now: Timestamp) -> BTreeSet<String> {
    let is_protected = |pod: &&PodView| pod.protection.until(pod.started, now) != Until::Never;
    let name = |pod: &PodView| format!("{}/{}", pod.reference.namespace, pod.reference.name);
    pods.iter().filter(is_protected).map(name).collect()
}

/// Who else has to do with the node's GPUs. What an operation is under way for is not asked again.
async fn neighbours(
    cluster: &Cluster,
    node: &Node,
    gpu_node: &GpuNode,
) -> Result<Neighbours, Error> {
    let seen = Neighbours::of(node);
    if Pace::of(maintenance(gpu_node).phase) == Pace::Working || seen.manager.is_some() {
        return Ok(seen);
    }
    let slice = cluster.dra_slice(&node.name_any()).await?;
    Ok(seen.with_slice(slice.as_deref()))
}

fn maintenance(gpu_node: &GpuNode) -> MaintenanceStatus {
    let status = gpu_node.status.as_ref();
    let maintenance = status.and_then(|status| status.maintenance.clone());
    maintenance.unwrap_or_default()
}

/// All policies, the one that wins the node read afresh. None: read afresh, it is another one's.
async fn policies(
    cluster: &Cluster,
    caches: &Caches,
    node: Option<&Node>,
) -> Result<Option<Vec<Arc<GpuSharingPolicy>>>, Error> {
    let mut policies = caches.policies_in_force();
    let Some(name) = node.and_then(|node| winner(&policies, node)) else {
        return Ok(Some(policies));
    };
    policies.retain(|policy| policy.name_any() != name);
    policies.extend(cluster.policy(&name).await?.map(Arc::new));
    let still = node.and_then(|node| winner(&policies, node));
    Ok((still.as_ref() == Some(&name)).then_some(policies))
}

fn winner(policies: &[Arc<GpuSharingPolicy>], node: &Node) -> Option<String> {
    let policies = policies.iter().map(|policy| &**policy);
    resolve::winner(policies, node.labels()).map(ResourceExt::name_any)
}

#[cfg(test)]
mod tests;
