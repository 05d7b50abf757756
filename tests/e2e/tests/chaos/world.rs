//! The cluster that things happen to: six nodes, two policies, two replicas of the operator behind a proxy, pods that want
//! slices and whole GPUs.

use std::collections::{BTreeMap, BTreeSet};

use crds::GpuSharingPolicy;
use e2e::{Cluster, Error, NodeSpec, Program, Proxy, Result, Workload};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::destroyed::Guard;
use crate::evidence::Evidence;
use crate::schedule::{Layout, NODES, POLICIES, REPLICAS, Who};

/// How many nodes of each policy may be out of service at once.
pub const BUDGET: usize = 2;
/// Pods by what they ask for, and how many.
const WORKLOADS: [(&str, &str, i32); 3] = [
    ("whole", "nvidia.com/gpu", 3),
    ("half", "nvidia.com/mig-3g.20gb", 4),
    ("seventh", "nvidia.com/mig-1g.5gb", 8),
];

/// One cluster.
pub struct World {
    pub replicas: Vec<Program>,
    pub proxy: Proxy,
    /// Nodes that the administrator has cordoned and not uncordoned.
    pub cordoned: BTreeSet<String>,
    pub evidence: Evidence,
    /// How much there was to judge so far.
    pub judged: BTreeMap<&'static str, usize>,
    pub guard: Guard,
    pub cluster: Cluster,
}

/// A node's name.
pub fn node(index: usize) -> String {
    format!("n{index}")
}

/// A policy's name, and the label of its nodes.
pub fn policy(index: usize) -> String {
    format!("p{index}")
}

/// The policy of a node.
pub fn policy_of(node: usize) -> usize {
    node * POLICIES / NODES
}

impl World {
    /// With everything running and no policy.
    pub async fn start(seed: u64) -> Result<Self> {
        let nodes = (0..NODES).map(|index| {
            let spec = NodeSpec::new(&node(index)).gpus("A100-SXM4-40GB", 1);
            spec.label("pool", &policy(policy_of(index)))
        });
        let mut cluster = Cluster::install(nodes).await?;
        let proxy = Proxy::start(&cluster.bed, seed).await?;
        for (name, agent) in &mut cluster.agents {
            let node = &cluster.nodes[name];
            *agent = Program::agent(&cluster.bed, node)?.through(proxy.url());
        }
        let replicas = (0..REPLICAS).map(|index| replica(&cluster, &proxy, index));
        let mut world = Self {
            replicas: replicas.collect::<Result<_>>()?,
            proxy,
            cordoned: BTreeSet::new(),
            evidence: Evidence::collect(&cluster).await?,
            judged: BTreeMap::new(),
            guard: Guard::over(cluster.nodes.values().cloned()),
            cluster,
        };
        world.run_workloads().await?;
        let all: Vec<_> = Self::everybody().collect();
        world.start_again(&all).await?;
        Ok(world)
    }

    async fn run_workloads(&self) -> Result<()> {
        let deployments: Api<Deployment> = Api::default_namespaced(self.cluster.client.clone());
        for (name, resource, replicas) in WORKLOADS {
            let workload = Workload::new(name)
                .asks(resource, 1)
                .label("chaos", "")
                .drains_in(1);
            let deployment = workload.deployment(replicas);
            let made = deployments
                .create(&PostParams::default(), &deployment)
                .await;
            made.map_err(Error::api("create a deployment"))?;
        }
        Ok(())
    }

    /// A program.
    pub fn program(&mut self, who: Who) -> &mut Program {
        match who {
            Who::Operator(index) => &mut self.replicas[index],
            Who::Agent(index) => {
                let agent = self.cluster.agents.get_mut(&node(index));
                agent.expect("each node has an agent")
            }
        }
    }

    /// All programs.
    pub fn everybody() -> impl Iterator<Item = Who> {
        let operators = (0..REPLICAS).map(Who::Operator);
        operators.chain((0..NODES).map(Who::Agent))
    }

    /// Those that do not run.
    pub fn ended(&mut self) -> Vec<Who> {
        Self::everybody()
            .filter(|who| !self.program(*who).runs())
            .collect()
    }

    /// Starts these, as a kubelet would.
    pub async fn start_again(&mut self, programs: &[Who]) -> Result<()> {
        let client = self.cluster.client.clone();
        for who in programs {
            self.program(*who).spawn(&client).await?;
        }
        Ok(())
    }

    /// Lets a policy ask for a layout.
    pub async fn set_layout(&self, index: usize, layout: Layout) -> Result<()> {
        let name = policy(index);
        let strategy = strategy(layout);
        if self
            .patch_policy(index, json!({"strategy": strategy}))
            .await?
        {
            return Ok(());
        }
        let mut strategy = strategy;
        prune(&mut strategy);
        let spec = json!({
            "nodeSelector": {"matchLabels": {"pool": name}},
            "strategy": strategy,
            "maintenance": {
                "maxUnavailable": BUDGET,
                "haltAfterFailures": 100,
                "drain": {"timeout": "8s"},
            },
        });
        self.cluster
            .create_policy(&name, &spec.to_string())
            .await
            .map(drop)
    }

    /// Changes a policy. False if it is not there.
    pub async fn patch_policy(&self, index: usize, spec: Value) -> Result<bool> {
        let patch = Patch::Merge(json!({"spec": spec}));
        let policies = self.cluster.policies();
        let patched = policies
            .patch(&policy(index), &PatchParams::default(), &patch)
            .await;
        match patched {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.is_not_found() => Ok(false),
            Err(error) => Err(Error::api("change a policy")(error)),
        }
    }

    /// Deletes a policy; one that is not there is deleted.
    pub async fn delete_policy(&self, index: usize) -> Result<()> {
        let policies: Api<GpuSharingPolicy> = self.cluster.policies();
        let deleted = policies
            .delete(&policy(index), &DeleteParams::default())
            .await;
        ignore_missing(deleted.map(drop), "delete a policy")
    }

    /// A budget that lets no pod be evicted.
    pub async fn protect(&self) -> Result<()> {
        let spec = json!({"maxUnavailable": 0, "selector": {"matchLabels": {"chaos": ""}}});
        let budget: PodDisruptionBudget =
            serde_json::from_value(json!({"metadata": {"name": "chaos"}, "spec": spec}))
                .expect("it is a budget");
        match self.budgets().create(&PostParams::default(), &budget).await {
            Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(()),
            made => made.map(drop).map_err(Error::api("create a budget")),
        }
    }

    /// Takes it away.
    pub async fn unprotect(&self) -> Result<()> {
        let deleted = self
            .budgets()
            .delete("chaos", &DeleteParams::default())
            .await;
        ignore_missing(deleted.map(drop), "delete a budget")
    }

    fn budgets(&self) -> Api<PodDisruptionBudget> {
        Api::default_namespaced(self.cluster.client.clone())
    }
}

fn replica(cluster: &Cluster, proxy: &Proxy, index: usize) -> Result<Program> {
    let name = format!("operator-{index}");
    let program = Program::operator(&cluster.bed, &name)?.through(proxy.url());
    Ok(program
        .arg("--pod-name", name)
        .arg("--lease-duration", "4s")
        .arg("--renew-deadline", "3s")
        .arg("--retry-period", "1s"))
}

/// As a merge patch: what another layout left is taken away.
fn strategy(layout: Layout) -> Value {
    let mig = |layout: Value| json!({"type": "MIG", "mig": {"layout": layout, "adopt": true}, "timeSlicing": null});
    match layout {
        Layout::Sevenths => mig(json!({"1g.5gb": 7, "3g.20gb": null})),
        Layout::Halves => mig(json!({"3g.20gb": 2, "1g.5gb": null})),
        Layout::TimeSlicing => {
            json!({"type": "TimeSlicing", "timeSlicing": {"replicas": 2}, "mig": null})
        }
    }
}

/// The same for an object that is made: without the nulls.
fn prune(value: &mut Value) {
    if let Some(members) = value.as_object_mut() {
        members.retain(|_, member| !member.is_null());
        members.values_mut().for_each(prune);
    }
}

fn ignore_missing(answer: kube::Result<()>, what: &str) -> Result<()> {
    match answer {
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        answer => answer.map_err(Error::api(what)),
    }
}
