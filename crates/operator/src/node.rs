//! The node controller: one maintenance step per node and look, decided in `plan`, performed here.
//!
//! ```text
//!   wakes ──► look in the caches ──► nothing to do: done, without a request
//!                   │ otherwise
//!                   ▼
//!             read afresh ──► plan::maintenance::step ──► act ──► report ──► again at once, or when the step says
//! ```

mod act;
mod memory;
mod read;
mod seen;
mod wakes;

use std::sync::Arc;
use std::time::Duration;

use crds::GpuNode;
use crds::gpu_node::{MaintenanceStatus, Phase};
use futures::future::join_all;
use futures::stream::{self, Stream, StreamExt};
use jiff::Timestamp;
use kube::ResourceExt;
use kube::runtime::controller::Action;
use kube::runtime::reflector::ObjectRef;
use plan::maintenance::{Event, Limits, Next, PodEvent, Refresh, Step, wants_pods};
use process::lease::Leadership;
use process::shutdown::Shutdown;
use tracing::info;

use self::act::Acted;
use self::memory::Memories;
use self::read::Fresh;
use self::seen::{Pace, Seen};
use crate::api::{Cluster, Notice, Object, Written, belongs_to, differ};
use crate::caches::Caches;
use crate::controller::{self, Outcomes, Visit};
use crate::error::Error;
use crate::metrics::Metrics;
use crate::wishes::Wishes;

/// Between two looks at a node of which something was written: long enough for others to get a word in.
const AT_ONCE: Duration = Duration::from_millis(20);
/// Until the caches have caught up.
const SOON: Duration = Duration::from_millis(200);
/// Until the policy controller has looked at a policy; its verdict wakes us before.
const VERDICT: Duration = Duration::from_secs(5);
/// Between two looks at a node whose pods are waited for.
const POLL: Duration = Duration::from_secs(1);
/// The longest without a look at a node that waits for something: not all that it may wait for is watched.
const PATIENCE: Duration = Duration::from_mins(1);
/// The longest without a look at a settled node, which costs no request.
const SETTLED: Duration = Duration::from_mins(10);

/// Everything that a look at a node needs.
pub struct Nodes {
    cluster: Cluster,
    caches: Caches,
    wishes: Arc<Wishes>,
    metrics: Metrics,
    memories: Arc<Memories>,
    rules: Rules,
}

/// How nodes are worked on, whatever their policies say.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// How long each part of an operation may take.
    pub limits: Limits,
    /// Which pods are made anew after a repartition.
    pub refresh: Refresh,
    /// Pods may be deleted past their budgets.
    pub may_force: bool,
    /// Pods of NVIDIA's device plugin may be deleted.
    pub may_restart_plugin: bool,
}

impl Nodes {
    /// A controller that has seen nothing yet.
    pub fn new(
        cluster: Cluster,
        caches: Caches,
        wishes: Arc<Wishes>,
        metrics: Metrics,
        rules: Rules,
    ) -> Self {
        Self {
            cluster,
            caches,
            wishes,
            metrics,
            memories: Arc::default(),
            rules,
        }
    }

    /// Works from the moment that we lead until `stop` is requested.
    pub async fn run(self, leadership: Leadership, stop: Shutdown) {
        if !leadership.acquired(&stop).await {
            return;
        }
        let outcomes = Outcomes::new("node", self.cluster.clone(), self.metrics.clone());
        let (store, wakes) = (self.caches.gpu_nodes.store(), wakes::wakes(&self.caches));
        let wakes = stream::select(wakes, self.forgetting());
        controller::run(self, outcomes, store, wakes, stop).await;
    }

    /// Wakes nobody; forgets nodes that are gone.
    fn forgetting(&self) -> impl Stream<Item = ObjectRef<GpuNode>> + Send + 'static {
        let (memories, wishes) = (self.memories.clone(), self.wishes.clone());
        let changes = self.caches.gpu_nodes.changes();
        changes.filter_map(move |change| {
            if let Some(gone) = change.filter(|change| change.after.is_none()) {
                memories.forget(&gone.name);
                wishes.forget(&gone.name);
            }
            std::future::ready(None)
        })
    }

    /// Whether the caches show that nothing is to be done, or not yet.
    fn nothing_to_do(&self, gpu_node: &Arc<GpuNode>) -> Option<Action> {
        let seen = read::cached(&self.caches, &self.wishes, gpu_node)?;
        if seen.is_too_early() {
            return Some(Action::requeue(VERDICT));
        }
        let owned = seen
            .node
            .as_deref()
            .is_some_and(|node| belongs_to(gpu_node, node));
        if seen.pace() != Pace::Settled || !owned || wants_pods(&seen.maintenance()) {
            return None;
        }
        let now = Timestamp::now();
        let step = self.decide(&seen, now);
        let idle = step.effects.is_empty() && !differ(&step.status, &seen.maintenance());
        idle.then(|| next(&step, now))
    }

    fn decide(&self, seen: &Seen, now: Timestamp) -> Step {
        seen.decide(&self.memories, &self.rules, now)
    }

    /// Writes the status if it says something new, and tells people what happened. True if there was
    /// something to write.
    async fn report(&self, seen: &mut Seen, step: &Step) -> Result<bool, Error> {
        let before = seen.maintenance();
        let changed = differ(&step.status, &before);
        if changed {
            let cluster = &self.cluster;
            match cluster
                .apply_maintenance(&seen.gpu_node, &step.status)
                .await?
            {
                Written::Done(written) => seen.gpu_node = Arc::new(written),
                Written::Outdated => return Ok(true),
            }
            self.record(&seen.gpu_node.name_any(), &before, &step.status);
        }
        for event in &step.events {
            self.tell(seen, &notice(event)).await;
        }
        for PodEvent { pod, event } in &step.pod_events {
            self.cluster.tell(&Object::pod(pod), &notice(event)).await;
        }
        Ok(changed)
    }

    /// To metrics, log and memory.
    fn record(&self, node: &str, before: &MaintenanceStatus, after: &MaintenanceStatus) {
        if before.phase != after.phase {
            let waiting_for = after.waiting_for.as_deref().unwrap_or_default();
            let (from, to) = (before.phase, after.phase);
            info!(
                node,
                ?from,
                ?to,
                operation = after.operation_id,
                waiting_for,
                "phase"
            );
        }
        if after.phase != Phase::Draining {
            self.memories.forget_evictions(node);
        }
        let known = before.history.first().map(|known| known.id);
        let newest = after.history.first();
        if let Some(ended) = newest.filter(|newest| known != Some(newest.id)) {
            self.metrics.ended(ended);
        }
    }

    /// An event on the node, where people look first, and on the `GpuNode`, where the rest is.
    async fn tell(&self, seen: &Seen, notice: &Notice) {
        let node = seen.node.as_deref().map(Object::of);
        let gpu_node = Object::of(&*seen.gpu_node);
        let both = node.into_iter().chain([gpu_node]);
        join_all(both.map(async |about| self.cluster.tell(&about, notice).await)).await;
    }

    /// Makes a `GpuNode` belong to its node, so that it goes with it. True if it did not yet.
    async fn adopt(&self, seen: &mut Seen) -> Result<bool, Error> {
        let Some(node) = seen.node.as_deref() else {
            return Ok(false);
        };
        if belongs_to(&seen.gpu_node, node) {
            return Ok(false);
        }
        let found = &seen.gpu_node;
        self.cluster
            .apply_spec(found, Some(node), &found.spec)
            .await?;
        Ok(true)
    }
}

impl Visit for Nodes {
    type Object = GpuNode;

    /// Looks, acts, and says when to look again.
    async fn visit(&self, gpu_node: &Arc<GpuNode>) -> Result<Action, Error> {
        if let Some(next) = self.nothing_to_do(gpu_node) {
            return Ok(next);
        }
        let name = gpu_node.name_any();
        let now = Timestamp::now();
        let evictions = self.memories.evictions(&name);
        let (cluster, caches, limits) = (&self.cluster, &self.caches, &self.rules.limits);
        let fresh = read::fresh(cluster, caches, &name, &evictions, now, limits);
        let mut seen = match fresh.await? {
            Fresh::Seen(seen) => *seen,
            Fresh::TooEarly => return Ok(Action::requeue(SOON)),
            Fresh::Gone => return Ok(Action::await_change()),
        };
        let mut step = self.decide(&seen, now);
        let effects = std::mem::take(&mut step.effects);
        let was_idle = effects.is_empty();
        if self.act(&mut seen, effects).await? == Acted::Outdated {
            return Ok(Action::requeue(AT_ONCE));
        }
        let reported = self.report(&mut seen, &step).await?;
        let is_over = was_idle && !reported && !self.adopt(&mut seen).await?;
        Ok(if is_over {
            next(&step, now)
        } else {
            Action::requeue(AT_ONCE)
        })
    }
}

fn notice(event: &Event) -> Notice {
    Notice {
        kind: event.kind,
        reason: event.reason,
        note: event.message.clone(),
    }
}

/// When to look again if nothing is seen to change.
fn next(step: &Step, now: Timestamp) -> Action {
    let longest = match Pace::of(step.status.phase) {
        Pace::Settled => SETTLED,
        Pace::Waiting | Pace::Working => PATIENCE,
    };
    Action::requeue(match step.next {
        Next::Watch => longest,
        Next::At(moment) => until(moment, now).min(longest),
        Next::Poll => POLL,
    })
}

/// How long until a moment; a little at least.
fn until(moment: Timestamp, now: Timestamp) -> Duration {
    let wait = Duration::try_from(moment.duration_since(now));
    wait.unwrap_or_default().max(AT_ONCE)
}

#[cfg(test)]
mod tests;
