//! What the agent counts.

use std::time::Duration;

use crds::gpu_node::{GpuStatus, MpsProcess};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::journal::Stage;

/// Gauges, counters and a histogram; clones share them.
#[derive(Clone, Debug)]
pub struct Metrics {
    gpus: Gauge,
    instances: Gauge,
    operations: Family<Ended, Counter>,
    steps: Family<Of, Histogram, fn() -> Histogram>,
    read_errors: Family<From, Counter>,
    mps_deaths: Family<Died, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Died {
    process: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    step: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct From {
    source: &'static str,
}

impl Metrics {
    /// Registers everything, at zero.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            gpus: Gauge::default(),
            instances: Gauge::default(),
            operations: Family::default(),
            steps: Family::new_with_constructor(of_steps),
            read_errors: Family::default(),
            mps_deaths: Family::default(),
        };
        let Self {
            gpus,
            instances,
            operations,
            steps,
            read_errors,
            mps_deaths,
        } = metrics.clone();
        registry.register("gpus", "GPUs that the driver shows", gpus);
        registry.register("instances", "GPU instances on them", instances);
        let help = "Operations that are over or were refused, by result";
        registry.register("operations", help, operations);
        let help = "Time that the driver took for each step";
        registry.register_with_unit("step_duration", help, Unit::Seconds, steps);
        let help = "Reads that failed: of the driver, the kubelet, the journal or the API server";
        registry.register("read_errors", help, read_errors);
        let help = "Deaths of the MPS control daemon and of its servers that nobody had asked for";
        registry.register("mps_deaths", help, mps_deaths);
        metrics
    }

    /// The GPUs as they are.
    pub fn seen(&self, gpus: &[GpuStatus]) {
        let instances = gpus.iter().map(|gpu| gpu.instances.len()).sum::<usize>();
        self.gpus.set(i64::try_from(gpus.len()).unwrap_or(i64::MAX));
        self.instances
            .set(i64::try_from(instances).unwrap_or(i64::MAX));
    }

    /// A step took so long, whether it succeeded or not.
    pub fn stepped(&self, step: &'static str, took: Duration) {
        let steps = self.steps.get_or_create(&Of { step });
        steps.observe(took.as_secs_f64());
    }

    /// An operation has entered a stage; counted if it is over.
    pub fn ended(&self, stage: &Stage) {
        match stage {
            Stage::Done => self.operation("done"),
            Stage::RolledBack { .. } => self.operation("rolled_back"),
            Stage::Failed { .. } => self.operation("failed"),
            Stage::Intended
            | Stage::Clearing
            | Stage::Building
            | Stage::UndoClearing { .. }
            | Stage::UndoBuilding { .. } => {}
        }
    }

    /// An operation was refused.
    pub fn refused(&self) {
        self.operation("refused");
    }

    /// A process of MPS has died.
    pub fn mps_died(&self, of: MpsProcess) {
        let process = match of {
            MpsProcess::Daemon => "daemon",
            MpsProcess::Server => "server",
        };
        self.mps_deaths.get_or_create(&Died { process }).inc();
    }

    /// A read failed.
    pub fn read_failed(&self, source: &'static str) {
        self.read_errors.get_or_create(&From { source }).inc();
    }

    fn operation(&self, result: &'static str) {
        self.operations.get_or_create(&Ended { result }).inc();
    }
}

/// From 1 ms to 65 s.
fn of_steps() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 4.0, 9))
}
