//! What is watched while the nodes change, for the narration and for the promises.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use crds::GpuNode;
use crds::gpu_node::Phase;
use e2e::{Change, History, Look, eventually};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Node;
use kube::{Api, ResourceExt};

use crate::figures;
use crate::screen::Screen;
use crate::stage::{LONG, MIG_NODES, Stage};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Every version of the nodes and of the Deployment `inference` since it began.
pub struct Watching {
    nodes: History<Node>,
    deployment: History<Deployment>,
}

impl Watching {
    /// Begins now.
    pub async fn begin(stage: &Stage) -> Result<Self> {
        Ok(Self {
            nodes: History::of(Api::all(stage.cluster.client.clone()), "").await?,
            deployment: History::of(stage.deployments.clone(), "metadata.name=inference").await?,
        })
    }

    /// The most nodes that were cordoned at one moment.
    pub async fn most_cordoned(&self) -> Result<usize> {
        let mut cordoned = BTreeMap::new();
        let mut most = 0;
        for change in self.nodes.up_to_now().await? {
            if let Change::Is(node) = change {
                let is = node.spec.as_ref().and_then(|spec| spec.unschedulable) == Some(true);
                cordoned.insert(node.name_any(), is);
                most = most.max(cordoned.values().filter(|is| **is).count());
            }
        }
        Ok(most)
    }

    /// Whether this node was ever cordoned.
    pub async fn was_cordoned(&self, name: &str) -> Result<bool> {
        Ok(self
            .nodes
            .up_to_now()
            .await?
            .iter()
            .any(|change| match change {
                Change::Is(node) => {
                    node.name_any() == name
                        && node.spec.as_ref().and_then(|spec| spec.unschedulable) == Some(true)
                }
                Change::Gone(_) => false,
            }))
    }

    /// The fewest available pods of the Deployment at one moment.
    pub async fn fewest_available(&self) -> Result<i32> {
        let available = self.deployment.steps(|deployment| {
            let status = deployment.status.as_ref();
            status
                .and_then(|status| status.available_replicas)
                .unwrap_or(0)
        });
        Ok(available.await?.into_iter().min().unwrap_or(0))
    }
}

/// Tells each phase of each node as it comes, until all are done. Returns the pods that the operations meant to evict,
/// by name.
pub async fn narrate(screen: &Screen, stage: &Stage) -> Result<BTreeSet<String>> {
    let history: History<GpuNode> = History::of(stage.cluster.gpu_nodes(), "").await?;
    let (mut told, mut phases) = (0, BTreeMap::new());
    eventually("every node has the new layout", LONG, async || {
        let changes = history.so_far();
        for change in &changes[told..] {
            if let Change::Is(node) = change {
                tell(screen, &mut phases, node);
            }
        }
        told = changes.len();
        let done = MIG_NODES
            .iter()
            .all(|name| phases.get(*name) == Some(&Phase::InSync));
        Ok(if done {
            Look::Done(())
        } else {
            Look::NotYet(format!("{phases:?}"))
        })
    })
    .await?;
    let plans = history.steps(|node| {
        let maintenance = figures::maintenance(node);
        let is_bound = maintenance.phase == Phase::Draining;
        maintenance.plan.filter(|_| is_bound)
    });
    let plans = plans.await?;
    Ok(plans.iter().flatten().flat_map(figures::victims).collect())
}

fn tell(screen: &Screen, phases: &mut BTreeMap<String, Phase>, node: &GpuNode) {
    let maintenance = figures::maintenance(node);
    let name = node.name_any();
    if phases.insert(name.clone(), maintenance.phase) != Some(maintenance.phase)
        && MIG_NODES.contains(&name.as_str())
    {
        let waiting = maintenance.waiting_for.unwrap_or_default();
        screen.note(&format!(
            "{name}  {:<14} {waiting}",
            format!("{:?}", maintenance.phase)
        ));
    }
}
