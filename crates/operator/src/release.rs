//! A node is unmarked outside of its own steps, and people are told why.

use crds::GpuNode;
use k8s_openapi::api::core::v1::Node;
use plan::maintenance::{Effect, Event};

use crate::api::{Cluster, Notice, Object, Written};
use crate::error::Error;

/// Performs an [`Effect::Uncordon`] on the node as it was read, and tells the event on it and on its `GpuNode`, if there is
/// one. If somebody has written the node since, nothing is done: look again.
pub async fn release(
    cluster: &Cluster,
    node: &Node,
    gpu_node: Option<&GpuNode>,
    effect: Effect,
    event: Event,
) -> Result<(), Error> {
    let Effect::Uncordon {
        schedulable,
        labels,
    } = effect
    else {
        return Ok(());
    };
    let written = cluster.uncordon(node, schedulable, &labels).await?;
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
