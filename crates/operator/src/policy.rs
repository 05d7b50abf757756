//! The policy controller: whether a policy can be satisfied, who of its nodes may be out of service now, and what to
//! tell people. Decided in `plan`, from the caches; the status that is written is also the lock.

mod summaries;
mod wakes;

use std::sync::Arc;
use std::time::Duration;

use crds::{GpuSharingPolicy, GpuSharingPolicyStatus};
use jiff::Timestamp;
use kube::ResourceExt;
use kube::runtime::controller::Action;
use plan::admission::{self, Report};
use process::lease::Leadership;
use process::shutdown::Shutdown;
use tracing::info;

use crate::api::{Cluster, Notice, Object, Written, differ};
use crate::caches::Caches;
use crate::controller::{self, Outcomes, Visit};
use crate::error::Error;
use crate::metrics::Metrics;
use crate::wishes::Wishes;

/// Until the caches have caught up.
const SOON: Duration = Duration::from_millis(200);
/// The longest without a look, which costs no request if there is nothing to write.
const PATIENCE: Duration = Duration::from_mins(10);

/// Everything that a look at a policy needs.
pub struct Policies {
    cluster: Cluster,
    caches: Caches,
    wishes: Arc<Wishes>,
    metrics: Metrics,
}

impl Policies {
    /// A controller that has seen nothing yet.
    pub fn new(cluster: Cluster, caches: Caches, wishes: Arc<Wishes>, metrics: Metrics) -> Self {
        Self {
            cluster,
            caches,
            wishes,
            metrics,
        }
    }

    /// Works from the moment that we lead until `stop` is requested.
    pub async fn run(self, leadership: Leadership, stop: Shutdown) {
        if !leadership.acquired(&stop).await {
            return;
        }
        let outcomes = Outcomes::new("policy", self.cluster.clone(), self.metrics.clone());
        let (store, wakes) = (self.caches.policies.store(), wakes::wakes(&self.caches));
        controller::run(self, outcomes, store, wakes, stop).await;
    }
    async fn tell(&self, policy: &GpuSharingPolicy, report: &Report) {
        for event in &report.events {
            let notice = Notice {
                kind: event.kind,
                reason: event.reason,
                note: event.message.clone(),
            };
            self.cluster.tell(&Object::of(policy), &notice).await;
        }
    }
}

impl Visit for Policies {
    type Object = GpuSharingPolicy;

    async fn visit(&self, policy: &Arc<GpuSharingPolicy>) -> Result<Action, Error> {
        let nodes = summaries::of(&self.caches, &self.wishes, policy);
        let now = Timestamp::now();
        let report = admission::report(policy, &nodes, now);
        if differ(&Some(&report.status), &policy.status) {
            let cluster = &self.cluster;
            let written = cluster.apply_policy_status(policy, &report.status).await?;
            if written == Written::Outdated {
                return Ok(Action::requeue(SOON));
            }
            record(policy, &report.status);
        }
        self.tell(policy, &report).await;
        Ok(Action::requeue(next(&report, now)))
    }
}

/// To the log: who may be out of service from now on, and who no longer.
fn record(policy: &GpuSharingPolicy, after: &GpuSharingPolicyStatus) {
    let nodes = |status: &GpuSharingPolicyStatus| {
        let slots = status.slots.iter();
        slots.map(|slot| slot.node.clone()).collect::<Vec<_>>()
    };
    let before = policy.status.as_ref().map(nodes).unwrap_or_default();
    let admitted = nodes(after);
    if before != admitted {
        info!(policy = policy.name_any(), ?admitted, "slots");
    }
}

fn next(report: &Report, now: Timestamp) -> Duration {
    let wait = report.next.map(|moment| moment.duration_since(now));
    let wait = wait.and_then(|wait| Duration::try_from(wait).ok());
    // A boundary that has just passed is looked at a little later, not in a tight loop.
    wait.unwrap_or(PATIENCE).clamp(SOON, PATIENCE)
}

#[cfg(test)]
mod tests;
