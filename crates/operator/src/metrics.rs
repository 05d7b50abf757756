//! What the operator counts. Gauges about the fleet are computed from the caches at each scrape, so they cannot drift.

mod fleet;

pub use fleet::Fleet;

use std::time::Instant;

use crds::gpu_node::{HistoryEntry, OperationResult, Phase};
use plan::drain::Reply;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::error::Error;

/// Counters and histograms; clones share them.
#[derive(Clone, Debug)]
pub struct Metrics {
    operations: Family<Ended, Counter>,
    phases: Family<InPhase, Histogram, fn() -> Histogram>,
    evictions: Family<Evicted, Counter>,
    looks: Family<By, Histogram, fn() -> Histogram>,
    failures: Family<FailedBy, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InPhase {
    phase: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Evicted {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct By {
    controller: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FailedBy {
    controller: &'static str,
    reason: &'static str,
}

impl Metrics {
    /// Registers everything, at zero.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            operations: Family::default(),
            phases: Family::new_with_constructor(of_operations),
            evictions: Family::default(),
            looks: Family::new_with_constructor(of_looks),
            failures: Family::default(),
        };
        let (operations, evictions) = (metrics.operations.clone(), metrics.evictions.clone());
        let (phases, looks) = (metrics.phases.clone(), metrics.looks.clone());
        registry.register(
            "operations",
            "Operations that are over, by result",
            operations,
        );
        registry.register_with_unit(
            "operation_duration",
            "Time that operations which are over spent in each phase",
            Unit::Seconds,
            phases,
        );
        registry.register("evictions", "Evictions asked for, by answer", evictions);
        registry.register_with_unit(
            "reconcile_duration",
            "Time of one look at one object",
            Unit::Seconds,
            looks,
        );
        let failures = metrics.failures.clone();
        registry.register(
            "reconcile_failures",
            "Looks that failed and are tried again, by reason",
            failures,
        );
        metrics
    }

    /// Counts an operation that is over.
    pub fn ended(&self, operation: &HistoryEntry) {
        let result = result(operation.result);
        self.operations.get_or_create(&Ended { result }).inc();
        for spent in &operation.durations {
            let phase = phase(spent.phase);
            let milliseconds = u32::try_from(spent.milliseconds.max(0)).unwrap_or(u32::MAX);
            let seconds = f64::from(milliseconds) / 1000.0;
            self.phases
                .get_or_create(&InPhase { phase })
                .observe(seconds);
        }
    }

    /// Counts the answer to an eviction.
    pub fn evicted(&self, reply: &Reply) {
        let result = answer(reply);
        self.evictions.get_or_create(&Evicted { result }).inc();
    }

    /// Counts a pod deleted past its budgets.
    pub fn deleted(&self) {
        let result = "Forced";
        self.evictions.get_or_create(&Evicted { result }).inc();
    }

    /// Measures a look from `since` until now.
    pub fn looked(&self, controller: &'static str, since: Instant) {
        let by = By { controller };
        let seconds = since.elapsed().as_secs_f64();
        self.looks.get_or_create(&by).observe(seconds);
    }

    /// Counts a look that failed.
    pub fn failed(&self, controller: &'static str, error: &Error) {
        let reason = error.reason().as_str();
        let failed = FailedBy { controller, reason };
        self.failures.get_or_create(&failed).inc();
    }
}

/// From half a second to four and a half hours.
fn of_operations() -> Histogram {
    Histogram::new(exponential_buckets(0.5, 2.0, 16))
}

/// From a millisecond to half a minute.
fn of_looks() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 16))
}

/// All phases, in the order of an operation.
const PHASES: [Phase; 13] = [
    Phase::Unmanaged,
    Phase::InSync,
    Phase::Pending,
    Phase::Preparing,
    Phase::Cordoning,
    Phase::WaitingJobs,
    Phase::Draining,
    Phase::Repartitioning,
    Phase::RollingBack,
    Phase::Validating,
    Phase::Uncordoning,
    Phase::Releasing,
    Phase::Quarantined,
];

/// As in the API.
const fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Unmanaged => "Unmanaged",
        Phase::InSync => "InSync",
        Phase::Pending => "Pending",
        Phase::Preparing => "Preparing",
        Phase::Cordoning => "Cordoning",
        Phase::WaitingJobs => "WaitingJobs",
        Phase::Draining => "Draining",
        Phase::Repartitioning => "Repartitioning",
        Phase::RollingBack => "RollingBack",
        Phase::Validating => "Validating",
        Phase::Uncordoning => "Uncordoning",
        Phase::Releasing => "Releasing",
        Phase::Quarantined => "Quarantined",
    }
}

/// As in the API.
const fn result(result: OperationResult) -> &'static str {
    match result {
        OperationResult::Succeeded => "Succeeded",
        OperationResult::Released => "Released",
        OperationResult::Failed => "Failed",
        OperationResult::RolledBack => "RolledBack",
        OperationResult::Quarantined => "Quarantined",
    }
}

const fn answer(reply: &Reply) -> &'static str {
    match reply {
        Reply::Accepted => "Accepted",
        Reply::Gone => "Gone",
        Reply::Stale => "Stale",
        Reply::Budget { .. } | Reply::BrokenBudget(_) => "DisruptionBudget",
        Reply::Budgets(_) => "MultipleDisruptionBudgets",
        Reply::Throttled(_) => "Throttled",
        Reply::NamespaceEnding => "NamespaceEnding",
        Reply::Forbidden(_) => "Forbidden",
        Reply::Failed(_) => "Failed",
    }
}
