//! One look at one node: everything that its next step is decided on.

use std::collections::BTreeMap;
use std::sync::Arc;

use crds::gpu_node::{AgentStatus, MaintenanceStatus, Phase};
use crds::policy::Slot;
use crds::{GpuNode, GpuSharingPolicy};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ConfigMap, Node};
use kube::ResourceExt;
use plan::conditions;
use plan::diagnosis::Stack;
use plan::drain::BudgetView;
use plan::maintenance::{Observed, PolicyView, Step, step};
use plan::node::NodeView;
use plan::plugin_config::{Entry, entries};
use plan::pod::PodView;
use plan::resolve;
use plan::windows::{Schedule, WindowState};

use super::Rules;
use super::memory::Memories;
use crate::wishes::Wished;

/// What was seen of one node, from the caches or afresh.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The `GpuNode`.
    pub gpu_node: Arc<GpuNode>,
    /// The node; none: it does not exist.
    pub node: Option<Arc<Node>>,
    /// The pods on it; empty in what the caches say.
    pub pods: Vec<PodView>,
    /// The disruption budgets that may explain why a pod stays.
    pub budgets: Vec<BudgetView>,
    /// The device plugin's configurations; none: there is no such `ConfigMap` yet.
    pub configs: Option<Arc<ConfigMap>>,
    /// NVIDIA's device plugin on the node, where it was looked for.
    pub stack: Option<Stack>,
    /// The policy that wins the node.
    pub policy: Option<Arc<GpuSharingPolicy>>,
    /// What the node should be.
    pub wished: Arc<Wished>,
}

impl Seen {
    /// The next step.
    pub fn decide(&self, memories: &Memories, rules: &Rules, now: Timestamp) -> Step {
        let name = self.gpu_node.name_any();
        let node = self.node.as_deref().map(NodeView::of);
        let policy = self.policy.as_deref().map(|policy| view(policy, now));
        let (maintenance, evictions) = (self.maintenance(), memories.evictions(&name));
        let observed = Observed {
            node: node.as_ref(),
            generation: self.gpu_node.metadata.generation,
            spec: &self.gpu_node.spec,
            agent: self.agent(),
            agent_heard: memories.hear(&name, self.agent(), now),
            maintenance: &maintenance,
            wish: &self.wished.wish,
            policy: policy.as_ref(),
            slot: self.slot(&name),
            pods: &self.pods,
            configs: &self.configs(),
            stack: self.stack.as_ref(),
            evictions: &evictions,
            budgets: &self.budgets,
            refresh: &rules.refresh,
            may_force: rules.may_force,
            may_restart_plugin: rules.may_restart_plugin,
        };
        step(&observed, now, &rules.limits)
    }

    /// Whether the policy controller has yet to look at this generation of the policy. That takes
    /// it a moment: nothing is begun, or told to anybody, before. What has begun goes on.
    pub fn is_too_early(&self) -> bool {
        let judged = self
            .policy
            .as_deref()
            .is_none_or(|policy| verdict(policy).is_some());
        !judged && self.pace() != Pace::Working
    }

    /// How much the node asks for attention.
    pub fn pace(&self) -> Pace {
        Pace::of(self.maintenance().phase)
    }

    /// The operator's part of the status.
    pub fn maintenance(&self) -> MaintenanceStatus {
        let status = self.gpu_node.status.as_ref();
        let maintenance = status.and_then(|status| status.maintenance.clone());
        maintenance.unwrap_or_default()
    }

    fn agent(&self) -> Option<&AgentStatus> {
        self.gpu_node.status.as_ref()?.agent.as_ref()
    }

    fn slot(&self, node: &str) -> Option<&Slot> {
        let status = self.policy.as_ref()?.status.as_ref()?;
        status.slots.iter().find(|slot| slot.node == node)
    }

    fn configs(&self) -> BTreeMap<String, Entry> {
        self.configs.as_deref().map(entries).unwrap_or_default()
    }
}

/// How much a node in a phase asks for attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Nothing is wanted of it until something changes.
    Settled,
    /// A change is wanted, and nothing has begun.
    Waiting,
    /// Something has begun and must come to its end.
    Working,
}

impl Pace {
    /// Of a node in this phase.
    pub const fn of(phase: Phase) -> Self {
        match phase {
            Phase::Unmanaged | Phase::InSync => Self::Settled,
            Phase::Pending => Self::Waiting,
            Phase::Preparing
            | Phase::Cordoning
            | Phase::WaitingJobs
            | Phase::Draining
            | Phase::Repartitioning
            | Phase::RollingBack
            | Phase::Validating
            | Phase::Uncordoning
            | Phase::Releasing
            | Phase::Quarantined => Self::Working,
        }
    }
}

fn view(policy: &GpuSharingPolicy, now: Timestamp) -> PolicyView<'_> {
    let verdict = verdict(policy);
    let problem = verdict.filter(|(valid, _)| !valid);
    PolicyView {
        reference: resolve::reference(policy),
        spec: &policy.spec,
        valid: verdict.is_some_and(|(valid, _)| valid),
        problem: problem.map(|(_, message)| message.to_owned()),
        halted: halted(policy),
        window: window(policy, now),
    }
}

/// Condition `Valid` and its message, if it is about this generation.
fn verdict(policy: &GpuSharingPolicy) -> Option<(bool, &str)> {
    let status = policy.status.as_ref()?;
    let valid = conditions::find(&status.conditions, "Valid")?;
    (valid.observed_generation == policy.metadata.generation)
        .then_some((valid.status == "True", valid.message.as_str()))
}

/// Why the policy starts nothing more, if so.
fn halted(policy: &GpuSharingPolicy) -> Option<String> {
    let status = policy.status.as_ref()?;
    let halted = conditions::find(&status.conditions, "RolloutHalted")?;
    (halted.status == "True").then(|| halted.message.clone())
}

/// A policy whose windows cannot be read has none that is open.
fn window(policy: &GpuSharingPolicy, now: Timestamp) -> WindowState {
    Schedule::parse(&policy.spec.maintenance).map_or(
        WindowState::Closed {
            next: None,
            blackout: None,
        },
        |schedule| schedule.at(now),
    )
}
