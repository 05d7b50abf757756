//! The cluster of the demo and what runs on it.

use std::error::Error;

use crds::GpuSharingPolicy;
use e2e::{Cluster, Look, NodeSpec, Workload, eventually, wait_within};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::Api;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use serde_json::json;
use std::time::Duration;

/// Nodes of the policy `inference`.
pub const MIG_NODES: [&str; 3] = ["gpu-1", "gpu-2", "gpu-3"];
/// The node of the policy `dev`.
pub const DEV_NODE: &str = "gpu-4";
/// More than any act of the demo needs on a slow machine.
pub const LONG: Duration = Duration::from_mins(3);

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Everything that the acts play on.
pub struct Stage {
    /// Nodes, operator, agents.
    pub cluster: Cluster,
    /// Pods of the demo.
    pub pods: Api<Pod>,
    /// Deployments of the demo.
    pub deployments: Api<Deployment>,
}

impl Stage {
    /// Three nodes with two A100 each, one with two T4, and the product installed on them.
    pub async fn build() -> Result<Self> {
        let mig = |name: &str| {
            NodeSpec::new(name)
                .gpus("A100-SXM4-40GB", 2)
                .label("pool", "inference")
        };
        let dev = NodeSpec::new(DEV_NODE).gpus("T4", 2).label("pool", "dev");
        let nodes = MIG_NODES.map(mig).into_iter().chain([dev]);
        let cluster = Cluster::start(nodes).await?;
        Ok(Self {
            pods: Api::namespaced(cluster.client.clone(), "default"),
            deployments: Api::namespaced(cluster.client.clone(), "default"),
            cluster,
        })
    }

    /// Six pods with a slice each, packed on the first node as an autoscaler's users would have it, and their budget:
    /// one of them may be missing.
    pub async fn run_inference(&self) -> Result<()> {
        let budgets: Api<PodDisruptionBudget> =
            Api::namespaced(self.cluster.client.clone(), "default");
        let budget = serde_json::from_value(json!({
            "metadata": {"name": "inference"},
            "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "inference"}}},
        }))?;
        budgets.create(&PostParams::default(), &budget).await?;
        let workload = Workload::new("inference").asks("nvidia.com/mig-1g.5gb", 1);
        let workload = workload.grace(10).starts_in(1).drains_in(1);
        self.run(&workload, 6, Some(MIG_NODES[0])).await?;
        self.wait_available("inference", 6).await
    }

    /// Waits until the agents have reported who holds so many slices: only then it is known who can stay.
    pub async fn wait_held(&self, slices: usize) -> Result<()> {
        eventually("the agents know who holds what", LONG, async || {
            let nodes = self.cluster.gpu_nodes().list(&ListParams::default()).await;
            let nodes = nodes.map_err(e2e::Error::api("list gpunodes"))?;
            let agents = nodes
                .items
                .iter()
                .filter_map(|node| node.status.as_ref()?.agent.as_ref());
            let held: usize = agents
                .flat_map(|agent| &agent.gpus)
                .map(|gpu| gpu.holders.len())
                .sum();
            Ok(if held == slices {
                Look::Done(())
            } else {
                Look::NotYet(format!("{held} slices held"))
            })
        })
        .await?;
        Ok(())
    }

    /// Three pods that ask for slices which do not exist yet.
    pub async fn run_training(&self) -> Result<()> {
        let workload = Workload::new("training").asks("nvidia.com/mig-3g.20gb", 1);
        self.run(&workload, 3, None).await
    }

    async fn run(&self, workload: &Workload, replicas: i32, prefers: Option<&str>) -> Result<()> {
        let mut json = serde_json::to_value(workload.deployment(replicas))?;
        if let Some(node) = prefers {
            json["spec"]["template"]["spec"]["affinity"] = json!({"nodeAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "preference": {
                    "matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}],
                }}],
            }});
        }
        let deployment = serde_json::from_value(json)?;
        self.deployments
            .create(&PostParams::default(), &deployment)
            .await?;
        Ok(())
    }

    /// Waits until so many pods of a Deployment are available.
    pub async fn wait_available(&self, name: &str, replicas: i32) -> Result<()> {
        let what = format!("{replicas} pods are available");
        let available = |deployment: &Deployment| {
            let status = deployment.status.as_ref();
            status.and_then(|status| status.available_replicas) == Some(replicas)
        };
        wait_within(LONG, &self.deployments, name, &what, available).await?;
        Ok(())
    }

    /// The running pods of the Deployment `inference`, by name.
    pub async fn inference_pods(&self) -> Result<Vec<Pod>> {
        let selector = ListParams::default().labels("app=inference");
        let mut pods = self.pods.list(&selector).await?.items;
        pods.retain(|pod| pod.metadata.deletion_timestamp.is_none());
        pods.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
        Ok(pods)
    }

    /// Changes the spec of the policy `inference`, as `kubectl patch --type merge` would.
    pub async fn change_policy(&self, spec: serde_json::Value) -> Result<GpuSharingPolicy> {
        let patch = Patch::Merge(json!({"spec": spec}));
        let policies = self.cluster.policies();
        Ok(policies
            .patch("inference", &PatchParams::default(), &patch)
            .await?)
    }
}
