//! Before the operator is uninstalled: it takes over from its own Deployment, gives back every node, and ends.
//!
//! Otherwise nodes that are under way would stay cordoned, with nobody left to uncordon them.

use std::collections::HashMap;
use std::time::Duration;

use crds::GpuNode;
use crds::gpu_node::{MaintenanceStatus, Phase};
use futures::future::join_all;
use k8s_openapi::api::core::v1::Node;
use kube::ResourceExt;
use plan::maintenance::{Leaving, leaving};
use plan::node::NodeView;
use process::Chain;
use process::lease::Leadership;
use process::shutdown::Shutdown;
use tracing::{info, warn};

use crate::api::Cluster;
use crate::error::Error;
use crate::release::release;

/// Between two looks at all nodes.
const PERIOD: Duration = Duration::from_secs(2);

/// What winds the operator down.
pub struct WindDown {
    cluster: Cluster,
    namespace: String,
    deployment: String,
}

/// Why winding down did not come to its end.
#[derive(Debug, thiserror::Error)]
#[error(
    "told to stop before every node was given back; run it again before the operator is uninstalled"
)]
pub struct CutShort;

impl WindDown {
    /// Of the operator that this Deployment runs.
    pub fn new(cluster: Cluster, namespace: String, deployment: String) -> Self {
        Self {
            cluster,
            namespace,
            deployment,
        }
    }

    /// Ends the Deployment, and `process` once nothing of the operator is left on any node.
    ///
    /// # Errors
    /// [`CutShort`] if `stop` comes first.
    pub async fn run(
        self,
        leadership: Leadership,
        stop: Shutdown,
        process: Shutdown,
    ) -> Result<(), CutShort> {
        let mut period = tokio::time::interval(PERIOD);
        let mut said = String::new();
        loop {
            tokio::select! {
                () = stop.requested() => return Err(CutShort),
                _ = period.tick() => {}
            }
            match self.look(leadership.is_leader_for(Duration::ZERO)).await {
                Ok(waits) if waits.is_empty() => break,
                Ok(waits) => tell(&mut said, &waits),
                Err(error) => {
                    let error = Chain(&error).to_string();
                    warn!(error, "cannot wind down yet; trying again");
                }
            }
        }
        info!("every node is given back");
        process.request();
        Ok(())
    }

    /// What is still waited for, one sentence each.
    async fn look(&self, leads: bool) -> Result<Vec<String>, Error> {
        let (namespace, deployment) = (&self.namespace, &self.deployment);
        self.cluster.end_deployment(namespace, deployment).await?;
        if !leads {
            return Ok(vec![format!(
                "pods of Deployment {namespace}/{deployment} to end"
            )]);
        }
        // The nodes first: whoever marks one later does so for an operation that is seen below.
        let nodes = self.cluster.all_nodes().await?;
        let known = self.cluster.all_gpu_nodes().await?.into_iter();
        let known: HashMap<_, _> = known.map(|node| (node.name_any(), node)).collect();
        let looks = nodes
            .iter()
            .map(|node| self.waits_for(node, known.get(&node.name_any())));
        let waits = join_all(looks).await.into_iter().flatten();
        waits.collect()
    }

    async fn waits_for(
        &self,
        node: &Node,
        gpu_node: Option<&GpuNode>,
    ) -> Option<Result<String, Error>> {
        let status = gpu_node.and_then(maintenance);
        match leaving(&NodeView::of(node), status.map(|status| status.phase)) {
            Leaving::Done => None,
            Leaving::UnderWay => Some(Ok(sentence(node, status))),
            Leaving::LetGo(effect, event) => {
                let released = release(&self.cluster, node, gpu_node, effect, event).await;
                Some(released.map(|()| sentence(node, status)))
            }
        }
    }
}

fn maintenance(gpu_node: &GpuNode) -> Option<&MaintenanceStatus> {
    gpu_node.status.as_ref()?.maintenance.as_ref()
}

fn sentence(node: &Node, status: Option<&MaintenanceStatus>) -> String {
    let name = node.name_any();
    let phase = status.map_or(Phase::Unmanaged, |status| status.phase);
    match status.and_then(|status| status.waiting_for.as_ref()) {
        Some(what) => format!("node {name} ({phase:?}), which waits for {what}"),
        None => format!("node {name} ({phase:?})"),
    }
}

/// Says what is waited for when that changes.
fn tell(said: &mut String, waits: &[String]) {
    let (few, rest) = waits.split_at(waits.len().min(5));
    let more = match rest.len() {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let sentence = format!("{}{more}", few.join("; "));
    if *said != sentence {
        info!("waiting for {sentence}");
        *said = sentence;
    }
}

#[cfg(test)]
mod tests;
