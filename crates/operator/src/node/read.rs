//! Looking at a node: first in the caches, which costs nothing, and afresh where something is to be done.

use std::sync::Arc;

use crds::{GpuNode, GpuSharingPolicy};
use k8s_openapi::api::core::v1::Node;
use kube::ResourceExt;
use plan::pod::PodView;
use plan::resolve;

use super::seen::{Seen, is_settled, maintenance};
use crate::api::{Cluster, belongs_to};
use crate::caches::Caches;
use crate::error::Error;
use crate::wishes::{Wished, Wishes};

/// What a look afresh came to.
#[derive(Debug)]
pub enum Fresh {
    /// Everything, as it is now.
    Seen(Box<Seen>),
    /// The caches are behind what was read: look again when they have caught up.
    TooEarly,
    /// There is no such `GpuNode` any more.
    Gone,
}

/// What the caches say of a settled node. None: it is not settled, look afresh.
pub fn cached(caches: &Caches, wishes: &Wishes, gpu_node: &Arc<GpuNode>) -> Option<Seen> {
    let node = caches.nodes.get(&gpu_node.name_any())?;
    if !is_settled(maintenance(gpu_node).phase) || !belongs_to(gpu_node, &node) {
        return None;
    }
    let policies = caches.policies.all();
    let plan = wishes.of(&policies, gpu_node, &node);
    let winner = plan.policy.as_ref();
    Some(Seen {
        gpu_node: gpu_node.clone(),
        policy: winner.and_then(|name| caches.policies.get(name)),
        node: Some(node),
        pods: Vec::new(),
        configs: caches.plugin_configs.all().into_iter().next(),
        wished: plan,
    })
}

/// Reads everything that the next step may act on. Only the policies that do not win the node come
/// from the cache.
pub async fn fresh(cluster: &Cluster, caches: &Caches, name: &str) -> Result<Fresh, Error> {
    // The node before the GpuNode: a marker that is seen here belongs to an operation that is seen
    // there, or is over.
    let node = cluster.node(name).await?.map(Arc::new);
    let Some(gpu_node) = cluster.gpu_node(name).await?.map(Arc::new) else {
        return Ok(Fresh::Gone);
    };
    let Some(policies) = policies(cluster, caches, node.as_deref()).await? else {
        return Ok(Fresh::TooEarly);
    };
    let wished = match &node {
        Some(node) => Wished::plan(&policies, &gpu_node, node),
        None => Wished {
            policy: None,
            wish: resolve::Wish::Unmanaged,
        },
    };
    let winner = wished.policy.as_ref();
    let winner = policies
        .iter()
        .find(|policy| Some(&policy.name_any()) == winner);
    Ok(Fresh::Seen(Box::new(Seen {
        pods: pods(cluster, name).await?,
        configs: cluster.plugin_configs().await?.map(Arc::new),
        policy: winner.cloned(),
        wished: Arc::new(wished),
        gpu_node,
        node,
    })))
}

/// All policies, the one that wins the node read afresh. None: read afresh, it is another one's.
async fn policies(
    cluster: &Cluster,
    caches: &Caches,
    node: Option<&Node>,
) -> Result<Option<Vec<Arc<GpuSharingPolicy>>>, Error> {
    let mut policies = caches.policies.all();
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

/// The pods of this node, and of no other.
async fn pods(cluster: &Cluster, node: &str) -> Result<Vec<PodView>, Error> {
    let pods = cluster.pods_on(node).await?;
    Ok(pods.iter().map(PodView::of).collect())
}
