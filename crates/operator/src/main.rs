//! gpu-sharing-operator: shares NVIDIA GPUs by policy.
//!
//! ```text
//!   GpuSharingPolicy ──► policy controller: valid? who may be out of service now? ──► policy status (slots)
//!                                                                                         │
//!   GpuNode, Node ─────► node controller: one maintenance step per node and look ◄────────┘
//!                              └──► cordon, evict, ask the agent, uncordon; GpuNode status, events
//! ```
//!
//! Everything is decided in `plan`; this crate reads, performs and reports. One replica leads, the
//! others keep their caches warm.

mod api;
mod args;
mod caches;
mod controller;
mod error;
mod failures;
#[cfg(test)]
mod fake;
mod fence;
mod metrics;
mod node;
mod orphans;
mod policy;
mod release;
mod wind_down;
mod wishes;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use plan::maintenance::{Limits, Refresh};
use process::admin::{AdminServer, Readiness};
use process::lease::{Election, ElectionConfig, ElectionError};
use process::shutdown::Shutdown;
use process::tasks::Tasks;
use process::{exit, kubernetes, logs};
use prometheus_client::registry::Registry;

use crate::api::{Cluster, PluginConfigMap};
use crate::args::Args;
use crate::caches::{Caches, Fillers};
use crate::fence::Fence;
use crate::metrics::{Fleet, Metrics};
use crate::node::Nodes;
use crate::orphans::Orphans;
use crate::policy::Policies;
use crate::wind_down::WindDown;
use crate::wishes::Wishes;

/// Our name: of the lease, in the API server's audit log, in messages.
const PROGRAM: &str = "gpu-sharing-operator";
/// How long looks under way may take to finish: some seconds less than a pod gets to end.
const GRACE: Duration = Duration::from_secs(20);

#[tokio::main]
async fn main() -> ExitCode {
    exit::code(run(Args::parse()).await)
}

async fn run(args: Args) -> Result<ExitCode, Box<dyn Error>> {
    logs::init(&args.logs)?;
    let election = args.lease.config(PROGRAM)?;
    let shutdown = Shutdown::on_signals()?;
    let admin = AdminServer::bind(&args.admin).await?;
    let clients = kubernetes::connect(&args.kubernetes, PROGRAM).await?;
    let plugin = PluginConfigMap::from(&args.plugin);
    let rules = Rules {
        wind_down: args.wind_down,
        nodes: node::Rules {
            limits: Limits::from(&args.plugin),
            refresh: Refresh::from(&args.plugin),
            may_force: args.allow_force,
            may_restart_plugin: args.plugin.restart_device_plugin,
        },
    };
    let tasks = tasks(shutdown, admin, &clients, plugin, election, rules);
    Ok(tasks.run(GRACE).await)
}

/// How the operator is to behave.
struct Rules {
    /// The Deployment to take over from for good.
    wind_down: Option<String>,
    /// How nodes are worked on.
    nodes: node::Rules,
}

/// Everything that runs, wired together.
fn tasks(
    shutdown: Shutdown,
    admin: AdminServer,
    clients: &kubernetes::Clients,
    plugin: PluginConfigMap,
    election: ElectionConfig,
    rules: Rules,
) -> Tasks {
    let (readiness, mut registry) = (Readiness::new(), Registry::with_prefix("gpusharing"));
    let (mut caches, fillers) = caches::new(&clients.api, &plugin, &readiness);
    if rules.wind_down.is_some() {
        caches = caches.winding_down();
    }
    let (identity, timing) = (election.identity.clone(), election.timing);
    let namespace = election.namespace.clone();
    let (election, leadership) = Election::new(clients.once.clone(), election);
    let fence = Fence::new(leadership.clone(), timing);
    let cluster = Cluster::new(clients.once.clone(), fence, plugin, identity);

    let (metrics, wishes) = (
        Metrics::register(&mut registry),
        Arc::new(Wishes::default()),
    );
    let leads = leadership.clone();
    let fleet = Fleet::new(caches.clone(), move || leads.is_leader_for(Duration::ZERO));
    registry.register_collector(Box::new(fleet));

    let nodes = Nodes::new(
        cluster.clone(),
        caches.clone(),
        wishes.clone(),
        metrics.clone(),
        rules.nodes,
    );
    let orphans = Orphans::new(cluster.clone(), caches.clone());

    let mut tasks = Tasks::new(shutdown.clone());
    tasks.support("admin server", |stop| {
        admin.serve(Arc::new(registry), readiness, stop)
    });
    let filled = caches.clone();
    tasks.support("leader election", |stop| contend(election, filled, stop));
    fill(&mut tasks, fillers);
    let leads = || leadership.clone();
    tasks.work("node controller", |stop| nodes.run(leads(), stop));
    tasks.work("orphan sweep", |stop| orphans.run(leads(), stop));
    if let Some(deployment) = rules.wind_down {
        let wind_down = WindDown::new(cluster, namespace, deployment);
        tasks.work("wind-down", |stop| wind_down.run(leads(), stop, shutdown));
    } else {
        let policies = Policies::new(cluster, caches, wishes, metrics);
        tasks.work("policy controller", |stop| policies.run(leads(), stop));
    }
    tasks
}

/// Contends for the lease once the caches are filled: a leader that cannot see would keep the seat
/// from one that can.
async fn contend(election: Election, caches: Caches, stop: Shutdown) -> Result<(), ElectionError> {
    tokio::select! {
        () = stop.requested() => Ok(()),
        () = caches.filled() => election.run(stop.clone()).await,
    }
}

fn fill(tasks: &mut Tasks, fillers: Fillers) {
    tasks.work("policy watch", |stop| fillers.policies.run(stop));
    tasks.work("gpunode watch", |stop| fillers.gpu_nodes.run(stop));
    tasks.work("node watch", |stop| fillers.nodes.run(stop));
    tasks.work("config watch", |stop| fillers.plugin_configs.run(stop));
}
