//! gpu-sharing-agent: reports a node's GPUs as its `GpuNode`, and changes them when the operator asks for it.
//!
//! Everything that is decided is in `decide`; `engine` takes the steps, `agent` looks, asks it, and tells.

mod agent;
mod api;
mod args;
mod decide;
mod driver;
mod engine;
mod inventory;
mod journal;
mod kubelet;
mod metrics;
mod mps;
mod observation;
#[cfg(test)]
mod world;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use gpu::{Nvml, ResetCommand};
use process::admin::{AdminServer, Liveness, Readiness};
use process::shutdown::Shutdown;
use process::tasks::Tasks;
use process::{exit, kubernetes, logs};
use prometheus_client::registry::Registry;
use tokio::sync::watch;

use crate::agent::{Agent, Paths};
use crate::api::{GpuNodes, Known};
use crate::args::{Args, Command};
use crate::driver::Gpus;
use crate::kubelet::Kubelet;
use crate::metrics::Metrics;

/// Our name: in the API server's audit log.
const PROGRAM: &str = "gpu-sharing-agent";
/// How long the step under way may take to finish: some seconds less than a pod gets to end.
const GRACE: Duration = Duration::from_secs(20);
/// The longest that the driver may take for an answer: three resets of a GPU.
const SILENCE: Duration = Duration::from_mins(3);

#[tokio::main]
async fn main() -> ExitCode {
    exit::code(run(Args::parse()).await)
}

async fn run(args: Args) -> Result<ExitCode, Box<dyn Error>> {
    match args.command {
        Some(Command::Inventory) => {
            inventory::print(&args.node.nvml_library)?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Mps(told)) => {
            logs::init(&args.logs)?;
            let gpus = driver(args.node.nvml_library.clone(), &args.node.nvidia_smi);
            let gpus = Gpus::start(gpus, Liveness::new(SILENCE))?;
            mps::serve(told, gpus, &args.node).await
        }
        Some(Command::MpsSharedMemory(told)) => {
            mps::share_memory(&told)?;
            Ok(ExitCode::SUCCESS)
        }
        None => serve(args).await,
    }
}

async fn serve(args: Args) -> Result<ExitCode, Box<dyn Error>> {
    logs::init(&args.logs)?;
    let node = args.node;
    let name = node
        .node_name
        .ok_or("no node name; give the name of the node that this runs on with --node-name")?;
    let shutdown = Shutdown::on_signals()?;
    let liveness = Liveness::new(SILENCE);
    let admin = AdminServer::bind(&args.admin).await?;
    let admin = admin.with_liveness(liveness.clone());
    // The API server may be away: then the node is looked after all the same.
    let clients = kubernetes::build(&args.kubernetes, PROGRAM).await?;

    let (readiness, mut registry) = (Readiness::new(), Registry::with_prefix("gpusharing_agent"));
    let metrics = Metrics::register(&mut registry);
    let (known, seen) = watch::channel(Known::Unknown);
    let tools = node.place.tools(&node.nvml_library);
    let gpus = Gpus::start(driver(node.nvml_library, &node.nvidia_smi), liveness)?;
    let needs = mps::Node {
        journal: node.journal_dir.clone(),
        gpus: gpus.clone(),
        metrics: metrics.clone(),
    };
    let (mps, supervisor) = mps::prepare(node.mps_enabled, &node.place, tools, needs);
    let paths = Paths {
        journal: node.journal_dir,
        boot_id: node.boot_id_file,
    };
    let agent = Agent::new(
        paths,
        gpus,
        mps,
        Kubelet::new(node.pod_resources_socket),
        GpuNodes::new(clients.once, name.clone()),
        seen,
        metrics,
        &readiness,
    );
    let mut tasks = Tasks::new(shutdown);
    tasks.support("admin server", |stop| {
        admin.serve(Arc::new(registry), readiness, stop)
    });
    tasks.support("watch", |stop| api::watch(clients.api, name, known, stop));
    tasks.work("MPS supervisor", |stop| supervisor.run(stop));
    tasks.work("agent", |stop| agent.run(stop));
    Ok(tasks.run(GRACE).await)
}

fn driver(library: PathBuf, nvidia_smi: &Path) -> driver::Load {
    let reset = ResetCommand::new(nvidia_smi);
    Box::new(move || Ok(Box::new(Nvml::load(&library)?.with_reset(reset.clone()))))
}
