//! The agent's own daemon: its supervisor as a task, from the start of the agent to its end.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use process::shutdown::Shutdown;
use tokio::sync::watch;

use super::error::MpsError;
use super::event::Event;
use super::handle::{Ground, Mps, Order};
use super::note::Notes;
use super::place::Place;
use super::report::Report;
use super::serve::give_back;
use super::supervisor::{Orders, Supervisor, Teller, Tools};
use crate::driver::Gpus;
use crate::metrics::Metrics;

/// The resource as which NVIDIA's device plugin advertises GPUs that MPS serves: no policy has it renamed.
const RESOURCE: &str = "nvidia.com/gpu";
/// Between two attempts to begin.
const AGAIN: Duration = Duration::from_secs(5);

/// Where things of MPS are on the node.
#[derive(Clone, Debug, Args)]
pub struct PlaceArgs {
    /// Folder that NVIDIA's device plugin looks for MPS daemons in
    #[arg(long, default_value = "/run/nvidia/mps", value_name = "FOLDER")]
    pub mps_root: PathBuf,

    /// NVIDIA's MPS control program; a name without a slash is looked for in PATH
    #[arg(long, default_value = "nvidia-cuda-mps-control", value_name = "FILE")]
    pub mps_control: PathBuf,
}

impl PlaceArgs {
    /// The programs. `library` is the driver's management library.
    pub fn tools(&self, library: &std::path::Path) -> Tools {
        let folder = library.parent();
        let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
        Tools {
            control: self.mps_control.clone(),
            shared_memory: PathBuf::from("/dev/shm"),
            cuda: folder.map(|folder| folder.join("libcuda.so.1")),
        }
    }
}

/// What the supervisor's task needs.
pub struct Task {
    tools: Tools,
    ground: Option<Ground>,
    folder: PathBuf,
    gpus: Gpus,
    metrics: Metrics,
    orders: watch::Receiver<Order>,
    report: Arc<watch::Sender<Report>>,
}

/// The daemon as the agent has it, and the task that supervises it. `enabled`: whether it may run.
pub fn prepare(enabled: bool, place: &PlaceArgs, tools: Tools, node: Node) -> (Mps, Task) {
    let folder = node.journal.join("mps");
    let ground = enabled.then(|| Ground {
        tools: tools.clone(),
        place: Place {
            root: place.mps_root.clone(),
            resource: RESOURCE.to_owned(),
        },
        mark: Notes::mark_in(&folder, RESOURCE),
    });
    let (ordered, orders) = watch::channel(Order::default());
    let (report, heard) = watch::channel(Report::default());
    let task = Task {
        tools,
        ground: ground.clone(),
        folder,
        gpus: node.gpus,
        metrics: node.metrics,
        orders,
        report: Arc::new(report),
    };
    (Mps::new(ground, ordered, heard), task)
}

/// What the task has of the agent.
pub struct Node {
    /// The folder for what must outlive the agent.
    pub journal: PathBuf,
    /// The GPUs.
    pub gpus: Gpus,
    /// Who counts deaths.
    pub metrics: Metrics,
}

impl Task {
    /// Gives back what an earlier process has left, then serves what is ordered until `stop` is requested, and then gives
    /// everything back. What keeps it from that is reported, and tried again.
    pub async fn run(self, stop: Shutdown) {
        while let Err(error) = self.serve(&stop).await {
            let message = process::Chain(&error).to_string();
            self.tell(&Event::Trouble { message });
            tokio::select! {
                () = stop.requested() => return,
                () = tokio::time::sleep(AGAIN) => {}
            }
        }
    }

    async fn serve(&self, stop: &Shutdown) -> Result<(), MpsError> {
        give_back(
            &self.folder,
            &self.tools,
            &self.gpus,
            || self.teller(),
            stop,
        )
        .await?;
        let Some(ground) = self.ground.clone() else {
            self.report.send_modify(|report| report.is_idle = true);
            stop.requested().await;
            return Ok(());
        };
        let notes = Notes::open(&self.folder, &ground.place.resource)?;
        let gpus = self.gpus.clone();
        let supervisor = Supervisor::new(ground.tools, ground.place, gpus, notes, self.teller());
        let orders = Orders {
            wanted: self.orders.clone(),
            report: Arc::clone(&self.report),
        };
        supervisor.run(orders, stop.clone()).await
    }

    fn teller(&self) -> Teller {
        let (report, metrics) = (Arc::clone(&self.report), self.metrics.clone());
        Box::new(move |event: &Event| tell(&report, &metrics, event))
    }

    fn tell(&self, event: &Event) {
        tell(&self.report, &self.metrics, event);
    }
}

fn tell(report: &watch::Sender<Report>, metrics: &Metrics, event: &Event) {
    match event {
        Event::Trouble { message } => tracing::warn!("MPS: {message}"),
        Event::DaemonEnded { .. } | Event::ServerEnded { .. } | Event::Left { .. } => {
            tracing::warn!(?event, "an MPS process has ended");
        }
        Event::Stage { .. } | Event::Servers { .. } => tracing::info!(?event, "MPS"),
    }
    report.send_modify(|report| {
        if let Some(of) = report.hear(event, Timestamp::now()) {
            metrics.mps_died(of);
        }
    });
}
