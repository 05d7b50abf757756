//! Each strategy can follow each other on a GPU that is full of pods. What each change costs is printed as one table, and
//! kept in `target/tmp/matrix.txt`: its class, how many of the pods had to leave, and for how long the node was cordoned.
//! Classes and pods are those that the planner computes for the same GPU (`crates/plan/src/resolve/tests/matrix.rs`).
//!
//! The nodes go through the strategies together, each from another one on: in the first round one further, in the second
//! two further, and so on, until in the last each comes to where it is already. So every pair is had once.

mod strategy;
mod table;

use std::path::Path;

use crds::GpuNode;
use crds::gpu_node::ChangeClass;
use crds::names::GUARANTEE_LABELS;
use e2e::{History, Record, Workload};
use futures::future::join_all;
use kube::ResourceExt;
use nvml_sim::Pace;
use serde_json::json;

use crate::look::maintenance;
use crate::mps::control;
use crate::record::{Outage, is_cordon, told};
use crate::scene::{Scene, a100, spec};
use strategy::Strategy;
use table::{Cost, table};

/// A change of one node by its own policy, which has the node's name.
#[derive(Debug)]
struct Change {
    node: String,
    round: usize,
    from: Strategy,
    to: Strategy,
}

/// What was seen of the changes of one round.
struct Seen {
    versions: History<GpuNode>,
    /// Names of the pods.
    evicted: Vec<String>,
    outages: Vec<Outage>,
    /// Of the operator.
    writes: Vec<Record>,
}

/// Where a node is after a round.
fn after(all: &[Strategy], node: usize, round: usize) -> Strategy {
    all[(node + round * (round + 1) / 2) % all.len()]
}

#[tokio::test]
async fn each_strategy_can_follow_each_other() {
    let control = control();
    let all = Strategy::all(control.is_some());
    let names: Vec<_> = (1..=all.len()).map(|node| format!("n{node}")).collect();
    let nodes = names.iter().map(|name| match &control {
        None => a100(name),
        Some(control) => a100(name).mps(control),
    });
    let scene = Scene::start(nodes).await;
    let begun = names
        .iter()
        .zip(&all)
        .map(|(node, first)| scene.begin(node, *first));
    join_all(begun).await;
    let mut costs = Vec::new();
    for round in 1..=all.len() {
        let changes = names.iter().enumerate().map(|(at, node)| Change {
            node: node.clone(),
            round,
            from: after(&all, at, round - 1),
            to: after(&all, at, round),
        });
        costs.extend(scene.round(&changes.collect::<Vec<_>>()).await);
    }
    keep(&table(&all, &costs));
}

/// What the figures are about.
const HEAD: &str = "\
One A100, full of pods that end at once, from the strategy on the left to the one above: class of the change, pods evicted,
seconds from cordon to uncordon. The driver is simulated and takes as long as a real one, roughly: 10 s for MIG mode.";

/// Tells, and leaves it for whoever comes later.
#[expect(clippy::print_stdout, reason = "the table is what this test is for")]
fn keep(table: &str) {
    let page = format!("{HEAD}\n\n{table}\n");
    println!("\n{page}");
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("matrix.txt");
    std::fs::write(file, page).unwrap();
}

impl Scene {
    async fn begin(&self, node: &str, first: Strategy) {
        let spec = spec(node, &first.said().to_string(), "");
        let policy = self.policy(node, &spec).await;
        self.in_sync(node, &policy).await;
        let gpus = self.cluster.node(node).gpus();
        gpus.set_pace(Pace::Real).unwrap();
    }

    /// All changes at once, each under as many pods as its node has room for.
    async fn round(&self, changes: &[Change]) -> Vec<Cost> {
        let pods = join_all(changes.iter().map(|change| self.fill(change))).await;
        let mark = self.mark().await;
        let versions = History::of(self.cluster.gpu_nodes(), "").await.unwrap();
        join_all(changes.iter().map(|change| self.carry_out(change))).await;
        self.quiet().await;
        let seen = Seen {
            versions,
            evicted: self.evicted(mark).await,
            outages: self.outages(mark).await,
            writes: self.operator_writes(mark).await,
        };
        join_all(changes.iter().map(|change| self.clear(change))).await;
        let each = changes.iter().zip(&pods);
        let costs = each.map(|(change, pods)| change.cost(pods, &seen));
        let costs = join_all(costs).await;
        let evicted: usize = costs.iter().map(|cost| cost.evicted).sum();
        assert_eq!(seen.evicted.len(), evicted, "{:?}", seen.evicted);
        costs
    }

    async fn fill(&self, change: &Change) -> Vec<String> {
        let pods = change.apps().map(async |(app, resource, count)| {
            let workload = Workload::new(&app).asks(resource, 1).on(&change.node);
            self.run(&workload, i32::try_from(count).unwrap()).await
        });
        let pods = join_all(pods).await.concat();
        pods.iter().map(ResourceExt::name_any).collect()
    }

    async fn clear(&self, change: &Change) {
        let apps = change.apps();
        join_all(apps.map(async |(app, _, _)| self.stop(&app).await)).await;
    }

    /// The node ends as the policy says, by all that pods and the scheduler see of it.
    async fn carry_out(&self, change: &Change) {
        let Change { node, to, .. } = change;
        let wanted = json!({"strategy": to.said(), "priority": change.round});
        let policy = self.change_policy(node, wanted).await;
        self.in_sync(node, &policy).await;
        let fake = self.cluster.node(node);
        let found = fake.wait_allocatable(to.advertises()).await.unwrap();
        let guaranteed = GUARANTEE_LABELS.map(|label| found.labels()[label].as_str());
        let [strategy, memory, faults, sharers] = to.guarantees();
        let expected = [strategy, memory, faults, sharers, node];
        assert_eq!(guaranteed, expected, "{change:?}");
    }
}

impl Change {
    /// What fills the node: Deployments, each with a resource and as many pods as there are of it.
    fn apps(&self) -> impl Iterator<Item = (String, &'static str, usize)> {
        let (node, round) = (&self.node, self.round);
        let advertised = self.from.advertises().iter().enumerate();
        advertised.map(move |(at, (resource, count))| {
            let app = format!("{node}-{round}-{at}");
            (app, *resource, *count)
        })
    }

    /// The class that it should have. None: there is nothing to change.
    fn expected(&self) -> Option<ChangeClass> {
        let more = [
            (Strategy::Exclusive, Strategy::TimeSlicing),
            (Strategy::Mig, Strategy::Hybrid),
        ];
        if self.from == self.to {
            None
        } else if more.contains(&(self.from, self.to)) {
            Some(ChangeClass::ConfigOnly)
        } else {
            Some(ChangeClass::Gpus)
        }
    }

    /// The class that was planned in all that time.
    async fn class(&self, versions: &History<GpuNode>) -> Option<ChangeClass> {
        let planned = versions.steps(|version| {
            let plan = maintenance(version).plan;
            plan.filter(|_| version.name_any() == self.node)
        });
        let planned = planned.await.unwrap();
        let mut planned: Vec<_> = planned.iter().flatten().map(|plan| plan.class).collect();
        planned.dedup();
        assert!(planned.len() <= 1, "{self:?}: {planned:?}");
        planned.first().copied()
    }

    /// What it has cost: no more than it should.
    async fn cost(&self, pods: &[String], seen: &Seen) -> Cost {
        let class = self.class(&seen.versions).await;
        assert_eq!(class, self.expected(), "{self:?}");
        let takes_gpus = class == Some(ChangeClass::Gpus);
        let own = pods.iter().filter(|pod| seen.evicted.contains(pod));
        let evicted = own.count();
        assert_eq!(evicted, if takes_gpus { pods.len() } else { 0 }, "{self:?}");
        let to_node = seen.writes.iter().filter(|it| {
            (it.object.resource.as_str(), it.object.name.as_str()) == ("nodes", &self.node)
        });
        let to_node: Vec<_> = to_node.cloned().collect();
        let cordons = to_node.iter().filter(|it| is_cordon(it)).count();
        assert_eq!(cordons, usize::from(takes_gpus), "{}", told(&to_node));
        assert!(class.is_some() || to_node.is_empty(), "{}", told(&to_node));
        let outage = seen.outages.iter().find(|it| it.node == self.node);
        Cost {
            from: self.from,
            to: self.to,
            class: class.unwrap_or(ChangeClass::None),
            evicted,
            pods: pods.len(),
            out: outage.map(|it| it.to.duration_since(it.from)),
        }
    }
}
