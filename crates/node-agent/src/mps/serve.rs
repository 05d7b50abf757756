//! The subcommand `mps`: serves the GPUs of this node through MPS until it is told to end.

use std::error::Error;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use crds::MemoryText;
use plan::mps::{Settings, Setup, limits};
use process::shutdown::Shutdown;
use tokio::sync::watch;

use super::error::MpsError;
use super::event::Event;
use super::handle::Order;
use super::note::Notes;
use super::place::Place;
use super::report::Report;
use super::supervisor::{Orders, Supervisor, Teller, Tools};
use super::task::PlaceArgs;
use crate::args::NodeArgs;
use crate::driver::Gpus;

/// How to serve.
#[derive(Clone, Debug, Args)]
pub struct MpsArgs {
    /// Pods that may share one GPU
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(i32).range(1..=48))]
    pub replicas: i32,

    /// Share of a GPU's threads for each of them, in percent [default: 100 divided by the replicas]
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(i32).range(1..=100))]
    pub active_thread_percentage: Option<i32>,

    /// GPU memory for each of them, such as 8Gi [default: the GPU's memory divided by the replicas]
    #[arg(long, value_name = "AMOUNT")]
    pub memory_limit: Option<String>,

    /// Allow replicas times memory limit to exceed a GPU's memory
    #[arg(long)]
    pub allow_memory_oversubscription: bool,

    /// Name under which NVIDIA's device plugin advertises the GPUs
    #[arg(long, default_value = "nvidia.com/gpu", value_name = "NAME")]
    pub resource: String,

    #[command(flatten)]
    pub place: PlaceArgs,
}

/// Gives back what earlier processes have left, then serves. Prints what happens as lines of JSON.
pub async fn serve(args: MpsArgs, gpus: Gpus, node: &NodeArgs) -> Result<ExitCode, Box<dyn Error>> {
    let stop = Shutdown::on_signals()?;
    let folder = node.journal_dir.join("mps");
    let tools = args.place.tools(&node.nvml_library);
    give_back(&folder, &tools, &gpus, teller, &stop).await?;
    let order = Order {
        number: 1,
        setup: Some(setup(&args, &gpus).await?),
    };
    let place = Place {
        root: args.place.mps_root,
        resource: args.resource,
    };
    let notes = Notes::open(&folder, &place.resource)?;
    let supervisor = Supervisor::new(tools, place, gpus, notes, teller());
    let (_nobody, wanted) = watch::channel(order);
    let report = Arc::new(watch::Sender::new(Report::default()));
    let served = supervisor.run(Orders { wanted, report }, stop.clone());
    tokio::select! {
        served = served => served?,
        // What is left is given back by the next process.
        () = stop.insisted() => return Ok(ExitCode::FAILURE),
    }
    Ok(ExitCode::SUCCESS)
}

/// Gives back what processes that have died have left in this folder, whatever they served.
pub(super) async fn give_back(
    folder: &Path,
    tools: &Tools,
    gpus: &Gpus,
    teller: impl Fn() -> Teller,
    stop: &Shutdown,
) -> Result<(), MpsError> {
    for left in Notes::left(folder)? {
        let place = Place {
            root: left.root,
            resource: left.resource,
        };
        let notes = Notes::open(folder, &place.resource)?;
        let tell = teller();
        tell(&Event::Left { gpus: left.gpus });
        let supervisor = Supervisor::new(tools.clone(), place, gpus.clone(), notes, tell);
        supervisor.give_back(stop.clone()).await?;
    }
    Ok(())
}

/// Every GPU of the node, and the limits of its clients.
async fn setup(args: &MpsArgs, gpus: &Gpus) -> Result<Setup, Box<dyn Error>> {
    let memory_limit_mib = match &args.memory_limit {
        None => None,
        Some(text) => {
            let bytes = MemoryText(text.clone())
                .bytes()
                .map_err(|error| error.to_string())?;
            Some(i64::try_from(bytes >> 20)?)
        }
    };
    let settings = Settings {
        replicas: args.replicas,
        active_thread_percentage: args.active_thread_percentage,
        memory_limit_mib,
        allow_memory_oversubscription: args.allow_memory_oversubscription,
    };
    let gpus = gpus.inventory().await?.gpus;
    let limits = limits(&gpus, &settings).map_err(|refusals| {
        let refusals: Vec<_> = refusals.iter().map(ToString::to_string).collect();
        refusals.join("; ")
    })?;
    let gpus = gpus.into_iter().map(|gpu| gpu.uuid).collect();
    Ok(Setup { gpus, limits })
}

fn teller() -> Teller {
    Box::new(|event: &Event| {
        let line = serde_json::to_string(event).map_err(io::Error::from);
        let told = line.and_then(|line| writeln!(io::stdout(), "{line}"));
        if let Err(error) = told {
            tracing::warn!(%error, ?event, "cannot tell what happened");
        }
    })
}
