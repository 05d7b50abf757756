//! The agent: read, decide, act, report, and look again.
//!
//! ```text
//!   driver, kubelet, journal ──► look ──► operate ──► engine (one step)
//!   GpuNode (watch, GET) ─────────┘          └──────► report (status.agent)
//! ```

mod begin;
mod look;
mod mps;
mod operate;
mod report;
#[cfg(test)]
mod tests;
mod view;

use std::path::PathBuf;
use std::time::Duration;

use crds::gpu_node::{Holder, MpsDeath};
use process::admin::{Gate, Readiness};
use process::shutdown::Shutdown;
use tokio::sync::watch;

use crate::api::{GpuNodes, Known};
use crate::driver::{DriverError, Gpus};
use crate::engine::Engine;
use crate::kubelet::Kubelet;
use crate::metrics::Metrics;
use crate::mps::Mps;
use view::View;

/// Between two looks while nothing happens, and between two beats.
const POLL: Duration = Duration::from_secs(5);
/// Between two looks while an operation waits.
const SOON: Duration = Duration::from_secs(1);
/// The longest wait for a driver that does not answer.
const LONGEST: Duration = Duration::from_mins(1);

/// When to look again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Now,
    After(Duration),
}

/// Where things are on this node.
#[derive(Clone, Debug)]
pub struct Paths {
    /// The journal's folder.
    pub journal: PathBuf,
    /// The file with the boot id.
    pub boot_id: PathBuf,
}

/// What must be in order before the agent counts as ready.
#[derive(Clone, Debug)]
struct Gates {
    driver: Gate,
    kubelet: Gate,
    journal: Gate,
    gpu_node: Gate,
}

/// The agent of one node.
pub struct Agent {
    paths: Paths,
    gpus: Gpus,
    mps: Mps,
    kubelet: Kubelet,
    api: GpuNodes,
    known: watch::Receiver<Known>,
    metrics: Metrics,
    gates: Gates,
    /// The latest death of the MPS daemon or of a server of it, with the pods that it hit.
    death: Option<MpsDeath>,
    /// Unset: the journal could not be opened yet.
    engine: Option<Engine>,
    /// Journals that nobody could read.
    kept: Vec<PathBuf>,
    /// Unset: there is no `GpuNode`, or nothing is known of it yet.
    view: Option<View>,
    /// Whether the watch has said that there is no `GpuNode`.
    absent: bool,
    /// Who held devices when the kubelet was last heard.
    holders: Vec<Holder>,
    /// Reads of the driver that failed in a row.
    failures: u32,
    /// The last complaint, so that each is logged once.
    complaint: Option<String>,
    /// The same, about the API server.
    api_complaint: Option<String>,
}

impl Agent {
    /// An agent that has not looked yet.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is another part of the node, and this is where they meet"
    )]
    pub fn new(
        paths: Paths,
        gpus: Gpus,
        mps: Mps,
        kubelet: Kubelet,
        api: GpuNodes,
        known: watch::Receiver<Known>,
        metrics: Metrics,
        readiness: &Readiness,
    ) -> Self {
        Self {
            paths,
            gpus,
            mps,
            kubelet,
            api,
            known,
            metrics,
            gates: Gates {
                driver: readiness.gate("driver"),
                kubelet: readiness.gate("kubelet"),
                journal: readiness.gate("journal"),
                gpu_node: readiness.gate("GpuNode"),
            },
            death: None,
            engine: None,
            kept: Vec::new(),
            view: None,
            absent: false,
            holders: Vec::new(),
            failures: 0,
            complaint: None,
            api_complaint: None,
        }
    }

    /// Looks again and again until `stop` is requested; a look that has begun is finished.
    ///
    /// # Errors
    /// Only if nothing can be done about it in this process.
    pub async fn run(mut self, stop: Shutdown) -> Result<(), DriverError> {
        loop {
            match self.look().await? {
                Next::Now if stop.is_requested() => return Ok(()),
                Next::Now => {}
                Next::After(wait) => tokio::select! {
                    () = stop.requested() => return Ok(()),
                    () = tokio::time::sleep(wait) => {}
                    () = asked(&mut self.known) => {}
                    () = self.mps.news() => {}
                },
            }
        }
    }
}

/// Completes when the operator asks for something; never if the watch has ended.
async fn asked(known: &mut watch::Receiver<Known>) {
    if known.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
    known.mark_changed();
}
