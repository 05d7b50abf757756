//! Gauges about nodes and policies, computed from the caches at each scrape.

use std::collections::BTreeMap;
use std::fmt;

use crds::gpu_node::MaintenanceStatus;
use crds::{GpuSharingPolicy, names};
use jiff::Timestamp;
use kube::ResourceExt;
use plan::{admission, conditions};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use super::{PHASES, phase};
use crate::caches::Caches;

/// Answers a scrape from the caches. A standby answers too; [`Fleet::is_leader`] tells the two apart.
pub struct Fleet {
    caches: Caches,
    leads: Box<dyn Fn() -> bool + Send + Sync>,
}

impl Fleet {
    /// Gauges of what the caches hold; `leads` says whether this process leads.
    pub fn new(caches: Caches, leads: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self {
            caches,
            leads: Box::new(leads),
        }
    }

    fn is_leader(&self, encoder: &mut DescriptorEncoder) -> fmt::Result {
        let text = "1 if this replica leads and acts, 0 if it stands by";
        let leader = encoder.encode_descriptor("leader", text, None, MetricType::Gauge)?;
        ConstGauge::new(i64::from((self.leads)())).encode(leader)
    }

    fn nodes(&self, encoder: &mut DescriptorEncoder) -> fmt::Result {
        let mut counts: BTreeMap<_, i64> = PHASES.iter().map(|phase| (*phase, 0)).collect();
        for gpu_node in self.caches.gpu_nodes.all() {
            let status = gpu_node.status.as_ref();
            let maintenance = status.and_then(|status| status.maintenance.as_ref());
            let phase = maintenance.map(|it| it.phase).unwrap_or_default();
            *counts.entry(phase).or_default() += 1;
        }
        let values = counts.into_iter();
        let values = values.map(|(it, count)| (phase(it).to_owned(), count));
        gauges(
            encoder,
            "nodes",
            "Nodes with GPUs, by phase",
            None,
            "phase",
            values,
        )
    }

    /// A node that stays cordoned by us for long is what a person must hear of, whatever the phase.
    fn cordons(&self, encoder: &mut DescriptorEncoder) -> fmt::Result {
        let now = Timestamp::now();
        let marked = self.caches.nodes.all().into_iter();
        let marked =
            marked.filter(|node| node.annotations().contains_key(names::ANNOTATION_OPERATION));
        let seconds = marked.map(|node| {
            let name = node.name_any();
            let since = self.cordoned_since(&name).unwrap_or(now);
            (name, now.duration_since(since).as_secs().max(0))
        });
        let text = "How long the node has been cordoned by the operator";
        let name = "node_cordoned";
        gauges(encoder, name, text, Some(&Unit::Seconds), "node", seconds)
    }

    fn cordoned_since(&self, node: &str) -> Option<Timestamp> {
        let gpu_node = self.caches.gpu_nodes.get(node)?;
        let maintenance = gpu_node.status.as_ref()?.maintenance.as_ref()?;
        cordoned_since(maintenance)
    }

    fn policies(&self, encoder: &mut DescriptorEncoder) -> fmt::Result {
        let mut policies = self.caches.policies.all();
        policies.sort_by_key(|policy| policy.name_any());
        let each = |value: fn(&GpuSharingPolicy) -> i64| {
            let policies = policies.iter();
            policies
                .map(move |policy| (policy.name_any(), value(policy)))
                .collect::<Vec<_>>()
        };
        let used = "Nodes of the policy that may be out of service now";
        gauges(
            encoder,
            "policy_slots_used",
            used,
            None,
            "policy",
            each(slots_used),
        )?;
        let limit = "The most nodes of the policy that may be out of service at once";
        gauges(
            encoder,
            "policy_slots_limit",
            limit,
            None,
            "policy",
            each(slots_limit),
        )?;
        let open = "1 while an operation of the policy may begin by its windows, otherwise 0";
        gauges(
            encoder,
            "policy_window_open",
            open,
            None,
            "policy",
            each(window_open),
        )
    }
}

impl Collector for Fleet {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        self.is_leader(&mut encoder)?;
        self.nodes(&mut encoder)?;
        self.cordons(&mut encoder)?;
        self.policies(&mut encoder)
    }
}

impl fmt::Debug for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fleet").finish_non_exhaustive()
    }
}

/// One gauge with one label.
fn gauges(
    encoder: &mut DescriptorEncoder,
    name: &str,
    help: &str,
    unit: Option<&Unit>,
    label: &str,
    values: impl IntoIterator<Item = (String, i64)>,
) -> fmt::Result {
    let mut family = encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?;
    for (of, value) in values {
        let labels = [(label, of.as_str())];
        ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

fn cordoned_since(maintenance: &MaintenanceStatus) -> Option<Timestamp> {
    let cordoned = conditions::find(&maintenance.conditions, "Cordoned");
    cordoned
        .filter(|condition| condition.status == "True")
        .map(|condition| condition.last_transition_time.0)
        .or_else(|| Some(maintenance.started_at.as_ref()?.0))
}

fn slots_used(policy: &GpuSharingPolicy) -> i64 {
    let status = policy.status.as_ref();
    let slots = status.map_or(0, |status| status.slots.len());
    i64::try_from(slots).unwrap_or(i64::MAX)
}

fn slots_limit(policy: &GpuSharingPolicy) -> i64 {
    let status = policy.status.as_ref();
    let matched = status.map_or(0, |status| status.nodes.matched);
    let matched = usize::try_from(matched).unwrap_or(0);
    let limit = admission::limit(&policy.spec.maintenance.max_unavailable, matched);
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn window_open(policy: &GpuSharingPolicy) -> i64 {
    let status = policy.status.as_ref();
    i64::from(status.is_some_and(|status| conditions::holds(&status.conditions, "WindowOpen")))
}

#[cfg(test)]
mod tests;
