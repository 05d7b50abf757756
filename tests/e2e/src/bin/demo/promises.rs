//! What was promised, checked on what the API server, its audit log and the simulated driver say.

use std::collections::BTreeMap;
use std::error::Error;

use crds::gpu_node::{MaintenanceStatus, OperationResult};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Node;

use crate::acts::{Before, Plan};
use crate::figures;
use crate::stage::{DEV_NODE, MIG_NODES, Stage};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A promise and, if it was broken, how.
pub struct Promise {
    /// The promise.
    pub what: &'static str,
    /// How it was broken.
    pub broken: Option<String>,
}

impl Promise {
    fn new(what: &'static str, kept: bool, seen: impl FnOnce() -> String) -> Self {
        Self {
            what,
            broken: (!kept).then(seen),
        }
    }
}

/// All promises.
pub async fn all(
    stage: &Stage,
    before: &Before,
    plan: &Plan,
    nodes: &BTreeMap<String, MaintenanceStatus>,
) -> Result<Vec<Promise>> {
    Ok(vec![
        layout(stage)?,
        window(nodes, plan.opens),
        budget(before).await?,
        bystander(stage, before).await?,
        evictions(stage, before, plan).await?,
        untouched(stage, before).await?,
        disruption_budget(before).await?,
        schedulable(stage).await?,
    ])
}

fn layout(stage: &Stage) -> Result<Promise> {
    let wanted = [("1g.5gb", 2), ("2g.10gb", 1), ("3g.20gb", 1)];
    let wanted: BTreeMap<_, _> = wanted
        .map(|(profile, count)| (profile.to_owned(), count))
        .into();
    let mut wrong = Vec::new();
    for name in MIG_NODES {
        for gpu in stage.cluster.node(name).gpus().gpus()? {
            let mut counts = BTreeMap::new();
            for instance in &gpu.instances {
                *counts.entry(instance.profile.clone()).or_insert(0) += 1;
            }
            if counts != wanted {
                wrong.push(format!("{name} GPU {} has {counts:?}", gpu.index));
            }
        }
    }
    Ok(Promise::new(
        "every A100 has the layout of the policy, by the driver",
        wrong.is_empty(),
        || wrong.join("; "),
    ))
}

fn window(nodes: &BTreeMap<String, MaintenanceStatus>, opens: Timestamp) -> Promise {
    let early: Vec<_> = MIG_NODES
        .iter()
        .filter(|name| {
            let entry = nodes[**name].history.first();
            entry.is_none_or(|entry| {
                entry.started_at.0 < opens || entry.result != OperationResult::Succeeded
            })
        })
        .collect();
    Promise::new(
        "every operation began inside the window, and succeeded",
        early.is_empty(),
        || format!("{early:?}"),
    )
}

async fn budget(before: &Before) -> Result<Promise> {
    let most = before.watching.most_cordoned().await?;
    let what = "one node was cordoned at a time";
    Ok(Promise::new(what, most == 1, || format!("{most} at once")))
}

async fn bystander(stage: &Stage, before: &Before) -> Result<Promise> {
    let node = stage.cluster.node(DEV_NODE).get().await?;
    let advertised = e2e::extended(&node);
    let was_cordoned = before.watching.was_cordoned(DEV_NODE).await?;
    let kept = !was_cordoned && advertised.get("nvidia.com/gpu") == Some(&8);
    Ok(Promise::new(
        "the node of the other policy was not touched",
        kept,
        || format!("it advertises {advertised:?}"),
    ))
}

async fn evictions(stage: &Stage, before: &Before, plan: &Plan) -> Result<Promise> {
    let evicted = figures::evicted(stage, before).await?;
    let kept = evicted == plan.victims && !evicted.is_empty();
    Ok(Promise::new(
        "the pods that the plan named were evicted, and no others",
        kept,
        || format!("evicted {evicted:?}, planned {:?}", plan.victims),
    ))
}

async fn untouched(stage: &Stage, before: &Before) -> Result<Promise> {
    let (evicted, now) = (
        figures::evicted(stage, before).await?,
        figures::pods(&stage.inference_pods().await?),
    );
    let lost: Vec<_> = before
        .pods
        .iter()
        .filter(|(name, pod)| !evicted.contains(*name) && now.get(*name) != Some(pod))
        .map(|(name, _)| name)
        .collect();
    Ok(Promise::new(
        "every other pod runs on, untouched",
        lost.is_empty(),
        || format!("{lost:?}"),
    ))
}

async fn disruption_budget(before: &Before) -> Result<Promise> {
    let fewest = before.watching.fewest_available().await?;
    Ok(Promise::new(
        "never more than one pod of `inference` was missing",
        fewest >= 5,
        || format!("only {fewest} of 6 were available"),
    ))
}

async fn schedulable(stage: &Stage) -> Result<Promise> {
    let mut out = Vec::new();
    for name in MIG_NODES {
        let node = stage.cluster.node(name).get().await?;
        if !is_free(&node) {
            out.push(name);
        }
    }
    Ok(Promise::new(
        "every node is schedulable and carries no mark of ours",
        out.is_empty(),
        || format!("{out:?}"),
    ))
}

fn is_free(node: &Node) -> bool {
    let spec = node.spec.clone().unwrap_or_default();
    let annotations = node.metadata.annotations.clone().unwrap_or_default();
    spec.unschedulable != Some(true)
        && spec.taints.is_none_or(|taints| taints.is_empty())
        && !annotations.contains_key(crds::names::ANNOTATION_OPERATION)
}
