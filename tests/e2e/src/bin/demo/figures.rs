//! Figures read from the API.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use crds::GpuNode;
use crds::gpu_node::{MaintenanceStatus, OperationPlan, Phase};
use e2e::Query;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;

use crate::acts::Before;
use crate::stage::{MIG_NODES, Stage};

/// UID and node of each pod, by name.
pub type Pods = BTreeMap<String, (String, String)>;

/// The pods as name → (UID, node).
pub fn pods(pods: &[Pod]) -> Pods {
    let entry = |pod: &Pod| {
        let node = pod.spec.as_ref().and_then(|spec| spec.node_name.clone());
        (
            pod.name_any(),
            (pod.uid().unwrap_or_default(), node.unwrap_or_default()),
        )
    };
    pods.iter().map(entry).collect()
}

/// Names of pods by node.
pub fn by_node(pods: &Pods) -> BTreeMap<String, Vec<String>> {
    let mut nodes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, (_, node)) in pods {
        nodes.entry(node.clone()).or_default().push(name.clone());
    }
    nodes
}

/// Where the operator is with a node; before its first word, nowhere.
pub fn maintenance(node: &GpuNode) -> MaintenanceStatus {
    let status = node.status.as_ref();
    status
        .and_then(|status| status.maintenance.clone())
        .unwrap_or_default()
}

/// The node is as its policy says.
pub fn is_in_sync(node: &GpuNode) -> bool {
    node.spec.policy.is_some() && maintenance(node).phase == Phase::InSync
}

/// What an operation would do to a node, for people.
pub fn plan(node: &str, maintenance: &MaintenanceStatus) -> Vec<String> {
    let Some(plan) = &maintenance.plan else {
        return vec![format!("  {node}: no plan")];
    };
    let mut lines = Vec::new();
    for gpu in &plan.gpus {
        lines.push(format!(
            "  {node} GPU {}: {} → {}   ({} kept, {} destroyed, {} created)",
            gpu.index, gpu.before, gpu.after, gpu.kept, gpu.destroyed, gpu.created
        ));
    }
    lines.push(format!(
        "  {node} evicts {}; leaves {}",
        listed(&plan.victims),
        listed(&plan.untouched)
    ));
    lines
}

fn listed(pods: &[String]) -> String {
    if pods.is_empty() {
        "nobody".to_owned()
    } else {
        pods.join(", ")
    }
}

/// Names of the pods that were really evicted since the mark, by the API server's audit log.
pub async fn evicted(stage: &Stage, before: &Before) -> Result<BTreeSet<String>, Box<dyn Error>> {
    let cluster = &stage.cluster;
    let query = Query::writes()
        .since(before.mark)
        .to("pods/eviction")
        .accepted();
    let records = cluster.bed.audit().settled(&cluster.client, &query).await?;
    Ok(records
        .into_iter()
        .map(|record| record.object.name)
        .collect())
}

/// Operations, evictions against pods, and the seconds that each node was out of service, phase by phase.
pub async fn summary(
    stage: &Stage,
    before: &Before,
    nodes: &BTreeMap<String, MaintenanceStatus>,
) -> Result<Vec<String>, Box<dyn Error>> {
    let evicted = evicted(stage, before).await?;
    let now = pods(&stage.inference_pods().await?);
    let untouched: Vec<_> = before
        .pods
        .iter()
        .filter(|(name, pod)| now.get(*name) == Some(pod))
        .collect();
    let operations = nodes
        .values()
        .filter_map(|node| node.history.first())
        .count();
    let mut lines = vec![
        format!(
            "  {} nodes, {operations} operations, {} evictions for {} pods on these nodes",
            nodes.len(),
            evicted.len(),
            before.pods.len()
        ),
        format!(
            "  evicted:      {}",
            listed(&evicted.into_iter().collect::<Vec<_>>())
        ),
        format!(
            "  never touched: {}",
            listed(
                &untouched
                    .into_iter()
                    .map(|(name, _)| name.clone())
                    .collect::<Vec<_>>()
            )
        ),
    ];
    for name in MIG_NODES {
        lines.push(out_of_service(name, &nodes[name]));
    }
    lines.push(writes(stage, before, operations).await?);
    Ok(lines)
}

/// How much was written to the API server since the mark, the leader's lease aside.
async fn writes(
    stage: &Stage,
    before: &Before,
    operations: usize,
) -> Result<String, Box<dyn Error>> {
    let cluster = &stage.cluster;
    let (mut by, mut all) = (Vec::new(), 0);
    for (who, account) in [
        ("operator", ":gpu-sharing-operator"),
        ("agents", ":gpu-sharing-agent"),
    ] {
        let query = Query::writes().since(before.mark).by(account);
        let records = cluster
            .bed
            .audit()
            .settled(&cluster.client, &query.except("leases"))
            .await?;
        all += records.len();
        by.push(format!("{} by the {who}", records.len()));
    }
    let each = all / operations.max(1);
    Ok(format!(
        "  {all} writes to the API server ({}), {each} per operation",
        by.join(", ")
    ))
}

/// The phases in which a node is cordoned.
fn is_out(phase: Phase) -> bool {
    match phase {
        Phase::Cordoning
        | Phase::WaitingJobs
        | Phase::Draining
        | Phase::Repartitioning
        | Phase::RollingBack
        | Phase::Validating
        | Phase::Uncordoning
        | Phase::Releasing => true,
        Phase::Unmanaged
        | Phase::InSync
        | Phase::Pending
        | Phase::Preparing
        | Phase::Quarantined => false,
    }
}

fn out_of_service(name: &str, node: &MaintenanceStatus) -> String {
    let durations = node
        .history
        .first()
        .map(|entry| entry.durations.as_slice())
        .unwrap_or_default();
    let out = durations.iter().filter(|duration| is_out(duration.phase));
    let total: i64 = out.clone().map(|duration| duration.milliseconds).sum();
    let phases: Vec<_> = out
        .map(|duration| format!("{:?} {}", duration.phase, seconds(duration.milliseconds)))
        .collect();
    format!(
        "  {name} was out of service for {} s: {}",
        seconds(total),
        phases.join(", ")
    )
}

/// Milliseconds as seconds with one digit after the point.
fn seconds(milliseconds: i64) -> String {
    format!("{}.{}", milliseconds / 1000, milliseconds % 1000 / 100)
}

/// The pods that the plans named as victims, without their namespace.
pub fn victims(plan: &OperationPlan) -> BTreeSet<String> {
    let name = |pod: &String| pod.rsplit('/').next().unwrap_or(pod).to_owned();
    plan.victims.iter().map(name).collect()
}
