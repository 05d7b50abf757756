//! A cluster for one test: nodes with GPUs, workloads, policies.

use std::time::Duration;

use crds::{GpuNode, GpuSharingPolicy};
use e2e::{Cluster, Look, NodeSpec, PATIENCE, Workload, eventually, wait_for};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

/// A product with MIG.
pub const A100: &str = "A100-SXM4-40GB";
/// A product without.
pub const T4: &str = "T4";
/// Whole GPUs.
pub const GPU: &str = "nvidia.com/gpu";
/// The smallest slices of an A100.
pub const SMALL: &str = "nvidia.com/mig-1g.5gb";
/// Slices of the half of an A100.
pub const LARGE: &str = "nvidia.com/mig-3g.20gb";
/// The strategy that cuts an A100 into its smallest slices.
pub const SEVEN: &str = "{type: MIG, mig: {layout: {1g.5gb: 7}}}";
/// More than an operation needs on a busy machine, its own waits included.
pub const LONG: Duration = Duration::from_secs(90);

/// A node with one A100, labelled `pool: <name>` for a policy of its own.
pub fn a100(name: &str) -> NodeSpec {
    NodeSpec::new(name).gpus(A100, 1).label("pool", name)
}

/// A node with one T4, labelled likewise.
pub fn t4(name: &str) -> NodeSpec {
    NodeSpec::new(name).gpus(T4, 1).label("pool", name)
}

/// The `spec` of a policy for the node with this label `pool`, as YAML.
pub fn spec(pool: &str, strategy: &str, rest: &str) -> String {
    format!("{{nodeSelector: {{matchLabels: {{pool: {pool}}}}}, strategy: {strategy}, {rest}}}")
}

/// A cluster and what runs on it.
pub struct Scene {
    /// Nodes, operator, agents.
    pub cluster: Cluster,
    /// Pods of the test.
    pub pods: Api<Pod>,
    /// Disruption budgets of the test.
    pub budgets: Api<PodDisruptionBudget>,
    deployments: Api<Deployment>,
}

impl Scene {
    /// With these nodes; operator and agents are ready.
    pub async fn start(nodes: impl IntoIterator<Item = NodeSpec>) -> Self {
        let mut scene = Self::install(nodes).await;
        scene.start_programs().await;
        scene
    }

    /// Starts operator and agents, and waits until they are ready.
    pub async fn start_programs(&mut self) {
        self.cluster.start_programs().await.unwrap();
    }

    /// With these nodes; operator and agents are not started.
    pub async fn install(nodes: impl IntoIterator<Item = NodeSpec>) -> Self {
        let cluster = Cluster::install(nodes).await.unwrap();
        let client = || cluster.client.clone();
        Self {
            pods: Api::default_namespaced(client()),
            budgets: Api::default_namespaced(client()),
            deployments: Api::default_namespaced(client()),
            cluster,
        }
    }

    /// Cuts the first GPU of a node into its smallest slices by hand, before anybody looks.
    pub fn cut_by_hand(&self, node: &str) {
        let gpus = self.cluster.node(node).gpus();
        gpus.set_mig_mode(0, true).unwrap();
        for start in 0..7 {
            gpus.create_instance(0, "1g.5gb", Some(start)).unwrap();
        }
    }

    /// Creates a policy from the YAML of its `spec`.
    pub async fn policy(&self, name: &str, spec: &str) -> GpuSharingPolicy {
        self.cluster.create_policy(name, spec).await.unwrap()
    }

    /// Changes the `spec` of a policy, as `kubectl patch --type merge` would.
    pub async fn change_policy(&self, name: &str, spec: Value) -> GpuSharingPolicy {
        let patch = Patch::Merge(json!({"spec": spec}));
        let policies = self.cluster.policies();
        let changed = policies.patch(name, &PatchParams::default(), &patch).await;
        changed.unwrap()
    }

    /// Runs a Deployment and waits until its pods run, and the agents have seen those that have a GPU.
    pub async fn run(&self, workload: &Workload, replicas: i32) -> Vec<Pod> {
        let deployment = workload.deployment(replicas);
        let (params, name) = (PostParams::default(), deployment.name_any());
        self.deployments.create(&params, &deployment).await.unwrap();
        let count = usize::try_from(replicas).unwrap();
        let pods = self.running(&name, count).await;
        for pod in &pods {
            self.seen_by_agent(pod).await;
        }
        pods
    }

    /// Deletes a Deployment and waits until its pods are at least ending.
    pub async fn stop(&self, app: &str) {
        let params = DeleteParams::default();
        self.deployments.delete(app, &params).await.unwrap();
        self.running(app, 0).await;
    }

    /// The Deployment's only pod.
    pub async fn run_one(&self, workload: &Workload) -> Pod {
        self.run(workload, 1).await.remove(0)
    }

    /// Runs a pod without a controller and waits until it runs, and the agent has seen it.
    pub async fn run_bare(&self, workload: &Workload) -> Pod {
        let pod = workload.pod();
        let made = self.pods.create(&PostParams::default(), &pod).await;
        let runs = |pod: &Pod| phase(pod) == "Running";
        let name = made.unwrap().name_any();
        let pod = wait_for(&self.pods, &name, "runs", runs).await.unwrap();
        self.seen_by_agent(&pod).await;
        pod
    }

    /// Waits until so many pods of a Deployment run and none is ending, and returns them by name.
    pub async fn running(&self, app: &str, count: usize) -> Vec<Pod> {
        let what = format!("{count} pods of {app} run");
        eventually(&what, LONG, async || {
            let pods = self.pods_of(app).await;
            let running = pods.iter().filter(|pod| phase(pod) == "Running").count();
            Ok(if running == count && pods.len() == count {
                Look::Done(pods)
            } else {
                Look::NotYet(format!(
                    "{:?}",
                    pods.iter().map(summary).collect::<Vec<_>>()
                ))
            })
        })
        .await
        .unwrap()
    }

    /// The pods of a Deployment that are not ending, by name.
    pub async fn pods_of(&self, app: &str) -> Vec<Pod> {
        let params = ListParams::default().labels(&format!("app={app}"));
        let mut pods = self.pods.list(&params).await.unwrap().items;
        pods.retain(|pod| pod.metadata.deletion_timestamp.is_none());
        pods.sort_by_key(ResourceExt::name_any);
        pods
    }

    async fn seen_by_agent(&self, pod: &Pod) {
        let spec = pod.spec.clone().unwrap();
        let limits = spec
            .containers
            .iter()
            .filter_map(|it| it.resources.as_ref()?.limits.as_ref());
        if !limits
            .flatten()
            .any(|(name, _)| name.starts_with("nvidia.com/"))
        {
            return;
        }
        let (name, node) = (pod.name_any(), spec.node_name.unwrap());
        let holds = |node: &GpuNode| {
            let agent = node
                .status
                .as_ref()
                .and_then(|status| status.agent.as_ref());
            let gpus = agent.into_iter().flat_map(|agent| &agent.gpus);
            gpus.flat_map(|gpu| &gpu.holders)
                .any(|holder| holder.pod == name)
        };
        let what = format!("its agent has seen pod {name}");
        let gpu_nodes = self.cluster.gpu_nodes();
        wait_for(&gpu_nodes, &node, &what, holds).await.unwrap();
    }

    /// A budget that lets none of the Deployment's pods be evicted. In force when this returns.
    pub async fn protect(&self, app: &str) {
        let spec = json!({"maxUnavailable": 0, "selector": {"matchLabels": {"app": app}}});
        let budget = serde_json::from_value(json!({"metadata": {"name": app}, "spec": spec}));
        let params = PostParams::default();
        self.budgets
            .create(&params, &budget.unwrap())
            .await
            .unwrap();
        let counts = |budget: &PodDisruptionBudget| {
            budget
                .status
                .as_ref()
                .is_some_and(|status| status.current_healthy > 0)
        };
        let what = "has counted its pods";
        wait_for(&self.budgets, app, what, counts).await.unwrap();
    }

    /// Takes that budget away.
    pub async fn unprotect(&self, app: &str) {
        let params = DeleteParams::default();
        self.budgets.delete(app, &params).await.unwrap();
    }

    /// Starts the operator (again). One that follows a killed one leads once that one's lease is over.
    pub async fn start_operator(&mut self) {
        let client = self.cluster.client.clone();
        self.cluster.operator.start(&client).await.unwrap();
        self.cluster.operator.wait_ready().await.unwrap();
    }

    /// Starts the agent of a node (again).
    pub async fn start_agent(&mut self, node: &str) {
        let client = self.cluster.client.clone();
        let agent = self.cluster.agent(node).unwrap();
        agent.start(&client).await.unwrap();
        agent.wait_ready().await.unwrap();
    }

    /// Waits until the agent of a node has reported, whatever it says.
    pub async fn reported(&self, node: &str) -> GpuNode {
        let has = |node: &GpuNode| {
            node.status
                .as_ref()
                .is_some_and(|status| status.agent.is_some())
        };
        let gpu_nodes = self.cluster.gpu_nodes();
        wait_for(&gpu_nodes, node, "its agent has reported", has)
            .await
            .unwrap()
    }

    /// Asks, as a person, to try again now.
    pub async fn retry(&self, node: &str, value: &str) {
        let annotations = json!({crds::names::ANNOTATION_RETRY: value});
        let patch = json!({"metadata": {"annotations": annotations}});
        self.cluster.node(node).merge(patch).await.unwrap();
    }

    /// Waits until a look at the policy says so.
    pub async fn wait_policy(
        &self,
        name: &str,
        what: &str,
        mut is: impl FnMut(&crds::GpuSharingPolicyStatus) -> bool,
    ) -> GpuSharingPolicy {
        let is = |policy: &GpuSharingPolicy| {
            let current = |status: &&crds::GpuSharingPolicyStatus| {
                status.observed_generation == policy.metadata.generation
            };
            policy.status.as_ref().filter(current).is_some_and(&mut is)
        };
        let policies = self.cluster.policies();
        e2e::wait_within(PATIENCE, &policies, name, what, is)
            .await
            .unwrap()
    }
}

/// A pod's phase.
pub fn phase(pod: &Pod) -> &str {
    let status = pod.status.as_ref();
    status
        .and_then(|status| status.phase.as_deref())
        .unwrap_or_default()
}

fn summary(pod: &Pod) -> (String, String) {
    (pod.name_any(), phase(pod).to_owned())
}
