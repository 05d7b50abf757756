//! Nodes that carry our marks and have no `GpuNode`: nobody else would ever give them back.
//!
//! It takes a person who deletes a `GpuNode` in the middle of an operation, or a leader that wrote
//! late. Nodes with a `GpuNode` are released by their own steps.

use std::collections::BTreeSet;
use std::time::Duration;

use crds::names;
use k8s_openapi::api::core::v1::Node;
use kube::ResourceExt;
use plan::maintenance::orphaned;
use plan::node::NodeView;
use process::Chain;
use process::lease::Leadership;
use process::shutdown::Shutdown;
use tracing::warn;

use crate::api::Cluster;
use crate::caches::Caches;
use crate::error::Error;
use crate::release::release;

/// Between two sweeps; each looks only at the caches unless it finds something.
const PERIOD: Duration = Duration::from_mins(1);

/// What looks for such nodes.
pub struct Orphans {
    cluster: Cluster,
    caches: Caches,
    /// Those of the sweep before. An agent that is alive makes its `GpuNode` anew in between, and tells what it is doing:
    /// only who was seen twice has nobody.
    seen: BTreeSet<String>,
}

impl Orphans {
    /// A sweep over what the caches show.
    pub fn new(cluster: Cluster, caches: Caches) -> Self {
        Self {
            cluster,
            caches,
            seen: BTreeSet::new(),
        }
    }

    /// Sweeps when we begin to lead, and then once a minute.
    pub async fn run(mut self, leadership: Leadership, stop: Shutdown) {
        if !leadership.acquired(&stop).await {
            return;
        }
        let mut period = tokio::time::interval(PERIOD);
        loop {
            tokio::select! {
                () = stop.requested() => return,
                _ = period.tick() => self.sweep().await,
            }
        }
    }

    async fn sweep(&mut self) {
        let suspects = self.suspects();
        let seen = std::mem::replace(&mut self.seen, suspects.clone());
        for name in suspects.intersection(&seen) {
            if let Err(error) = self.release(name).await {
                let error = Chain(&error).to_string();
                warn!(
                    node = name,
                    error, "cannot give back an orphaned node; trying again"
                );
            }
        }
    }

    fn suspects(&self) -> BTreeSet<String> {
        let nodes = self.caches.nodes.all().into_iter();
        let marked = nodes.filter(|node| is_marked(node));
        let names = marked.map(|node| node.name_any());
        names
            .filter(|name| self.caches.gpu_nodes.get(name).is_none())
            .collect()
    }

    /// Releases the node if it is what it looks like.
    async fn release(&self, name: &str) -> Result<(), Error> {
        // The node first: whoever marks it later does so for a GpuNode that is seen below.
        let Some(node) = self.cluster.node(name).await? else {
            return Ok(());
        };
        if self.cluster.gpu_node(name).await?.is_some() {
            return Ok(());
        }
        let view = NodeView::of(&node);
        let Some((effect, event)) = orphaned(&view) else {
            return Ok(());
        };
        release(&self.cluster, &node, None, effect, event).await
    }
}

/// Whether the node carries something that we put there and have to take off again.
fn is_marked(node: &Node) -> bool {
    let marks = [names::ANNOTATION_OPERATION, names::ANNOTATION_MIG_MANAGER];
    let mut paused = names::GPU_CLIENT_LABELS.iter();
    marks
        .iter()
        .any(|key| node.annotations().contains_key(*key))
        || paused.any(|key| {
            let value = node.labels().get(*key);
            value.is_some_and(|value| value == names::GPU_CLIENT_PAUSED)
        })
}

#[cfg(test)]
mod tests;
