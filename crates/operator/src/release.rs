//! A node is unmarked, or given back to others, outside of its own steps, and people are told why.

use crds::GpuNode;
use k8s_openapi::api::core::v1::Node;
use plan::maintenance::{Effect, Event};

use crate::api::{Cluster, Notice, Object, Written};
use crate::error::Error;

/// Performs an [`Effect::Uncordon`], [`Effect::Remember`] or [`Effect::Label`] on the node as it was read, and tells the event on it and on its `GpuNode`, if there is
/// one. If somebody has written the node since, nothing is done: look again.
pub async fn release(
    cluster: &Cluster,
    node: &Node,
    gpu_node: Option<&GpuNode>,
    effect: Effect,
    event: Event,
) -> Result<(), Error> {
    let written = match effect {
        Effect::Uncordon {
            schedulable,
            labels,
        } => cluster.uncordon(node, schedulable, &labels).await?,
        Effect::Remember {
            labels,
            annotations,
        } => cluster.remember(node, &labels, &annotations).await?,
        Effect::Label(labels) => cluster.label(node, &labels).await?,
        Effect::Cordon { .. }
        | Effect::PublishConfig { .. }
        | Effect::Ask(_)
        | Effect::Restart(_)
        | Effect::Evict { .. }
        | Effect::Delete { .. } => return Ok(()),
    };
    if let Written::Done(node) = written {
        let notice = Notice {
            kind: event.kind,
            reason: event.reason,
            note: event.message,
        };
        let gpu_node = gpu_node.map(Object::of);
        for about in [Object::of(&node)].into_iter().chain(gpu_node) {
            cluster.tell(&about, &notice).await;
        }
    }
    Ok(())
}
