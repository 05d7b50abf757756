//! A cluster to measure on.

use std::error::Error;
use std::time::Duration;

use crds::gpu_node::{MaintenanceStatus, Phase};
use crds::{GpuNode, GpuSharingPolicy};
use e2e::{Cluster, Mark, NodeSpec, Query, Record, Workload, wait_within};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// More than an operation needs on a busy machine.
pub const LONG: Duration = Duration::from_mins(3);
/// The policy.
pub const POLICY: &str = "measured";

/// Whole GPUs.
pub const GPU: &str = "nvidia.com/gpu";

/// A node with one A100 that the policy selects.
pub fn node(name: &str) -> NodeSpec {
    let node = NodeSpec::new(name).gpus("A100-SXM4-40GB", 1);
    node.label("pool", "measured")
}

/// The strategy that cuts each A100 so.
pub fn mig(layout: &str) -> String {
    format!("{{type: MIG, mig: {{layout: {layout}}}}}")
}

/// A cluster, and what is asked of it.
pub struct Ground {
    /// Nodes, operator, agents.
    pub cluster: Cluster,
}

impl Ground {
    /// Everything but operator and agents runs.
    pub async fn install(nodes: impl IntoIterator<Item = NodeSpec>) -> Result<Self> {
        let cluster = Cluster::install(nodes).await?;
        Ok(Self { cluster })
    }

    /// Everything runs.
    pub async fn start(nodes: impl IntoIterator<Item = NodeSpec>) -> Result<Self> {
        let mut ground = Self::install(nodes).await?;
        ground.cluster.start_programs().await?;
        Ok(ground)
    }

    /// The policy has this strategy.
    pub async fn create_policy(&self, strategy: &str) -> Result<GpuSharingPolicy> {
        let spec =
            format!("{{nodeSelector: {{matchLabels: {{pool: measured}}}}, strategy: {strategy}}}");
        Ok(self.cluster.create_policy(POLICY, &spec).await?)
    }

    /// Changes the policy's `spec`, as `kubectl patch --type merge` would.
    pub async fn change_policy(&self, spec: Value) -> Result<GpuSharingPolicy> {
        let patch = Patch::Merge(json!({"spec": spec}));
        let (policies, params) = (self.cluster.policies(), PatchParams::default());
        Ok(policies.patch(POLICY, &params, &patch).await?)
    }

    /// Waits until a node is as this version of the policy says.
    pub async fn in_sync(
        &self,
        node: &str,
        policy: &GpuSharingPolicy,
    ) -> Result<MaintenanceStatus> {
        let generation = policy.metadata.generation;
        let is = |node: &GpuNode| {
            let wanted = node.spec.policy.as_ref();
            wanted.map(|it| it.generation) == generation && maintenance(node).phase == Phase::InSync
        };
        let what = "is in sync with its policy";
        let nodes = self.cluster.gpu_nodes();
        Ok(maintenance(
            &wait_within(LONG, &nodes, node, what, is).await?,
        ))
    }

    /// Runs a Deployment and waits until all its pods are available.
    pub async fn run(&self, workload: &Workload, replicas: i32) -> Result<()> {
        let deployments: Api<Deployment> = Api::default_namespaced(self.cluster.client.clone());
        let (params, deployment) = (PostParams::default(), workload.deployment(replicas));
        let made = deployments.create(&params, &deployment).await?;
        let name = made.name_any();
        let is_available = |deployment: &Deployment| {
            let status = deployment.status.as_ref();
            status.and_then(|status| status.available_replicas) == Some(replicas)
        };
        wait_within(LONG, &deployments, &name, "is available", is_available).await?;
        Ok(())
    }

    /// Now, in the audit log.
    pub async fn mark(&self) -> Result<Mark> {
        let audit = self.cluster.bed.audit();
        Ok(audit.mark(&self.cluster.client).await?)
    }

    /// What has been written and accepted since.
    pub async fn accepted(&self, since: Mark) -> Result<Vec<Record>> {
        let query = Query::writes().since(since).accepted();
        let audit = self.cluster.bed.audit();
        Ok(audit.settled(&self.cluster.client, &query).await?)
    }
}

/// Where the operator is with a node; before its first word, nowhere.
pub fn maintenance(node: &GpuNode) -> MaintenanceStatus {
    let status = node.status.as_ref();
    status
        .and_then(|status| status.maintenance.clone())
        .unwrap_or_default()
}

/// When somebody first made a node unschedulable (`true`), or schedulable, in these records: when that arrived.
pub fn first_cordon(records: &[Record], node: &str, is: bool) -> Result<Timestamp> {
    let mut writes = records.iter().filter(|record| {
        let object = &record.object;
        (object.resource.as_str(), object.name.as_str()) == ("nodes", node)
    });
    // `kubectl uncordon` takes the field away.
    let says = |record: &&Record| match &record.request["spec"]["unschedulable"] {
        Value::Bool(value) => *value == is,
        Value::Null => !is && record.request["spec"].get("unschedulable").is_some(),
        Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => false,
    };
    let found = writes.find(says).map(|record| record.received);
    Ok(found.ok_or_else(|| format!("node {node} was never made (un)schedulable"))?)
}

/// From one moment to another.
pub fn between(from: Timestamp, to: Timestamp) -> SignedDuration {
    to.duration_since(from)
}
