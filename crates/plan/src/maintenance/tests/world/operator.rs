//! The operator's driver: reads, decides, acts, reports, and may die between any two of these.

use std::collections::BTreeMap;

use crds::gpu_node::{AgentStatus, MaintenanceStatus};
use crds::policy::Slot;
use crds::{GpuNodeSpec, GpuSharingPolicySpec};
use jiff::{SignedDuration, Timestamp};

use super::{World, explained, invariants};
use crate::drain::{Answer, BudgetView, Cause, EvictionMemory, Reply};
use crate::maintenance::tests::fixtures;
use crate::maintenance::{Effect, Limits, Next, Observed, PolicyView, Step, step};
use crate::node::NodeView;
use crate::pod::PodView;
use crate::resolve::Wish;
use crate::windows::WindowState;

/// What the operator has read, with the versions that it will compare and swap on.
#[derive(Clone, Debug)]
pub(in super::super) struct Snapshot {
    pub(in super::super) node: Option<NodeView>,
    pub(in super::super) node_version: u64,
    pub(in super::super) spec: GpuNodeSpec,
    pub(in super::super) agent: Option<AgentStatus>,
    pub(in super::super) agent_heard: Timestamp,
    pub(in super::super) maintenance: MaintenanceStatus,
    pub(in super::super) gpu_node_version: u64,
    pub(in super::super) spec_generation: i64,
    pub(in super::super) wish: Wish,
    pub(in super::super) policy: GpuSharingPolicySpec,
    pub(in super::super) generation: i64,
    pub(in super::super) valid: bool,
    pub(in super::super) window: WindowState,
    pub(in super::super) slot: Option<Slot>,
    pub(in super::super) pods: Vec<PodView>,
    pub(in super::super) configs: BTreeMap<String, String>,
    pub(in super::super) evictions: BTreeMap<String, EvictionMemory>,
    pub(in super::super) budgets: Vec<BudgetView>,
    pub(in super::super) may_force: bool,
}

impl Snapshot {
    pub(in super::super) fn step(&self, now: Timestamp) -> Step {
        let policy = PolicyView {
            reference: fixtures::reference(self.generation),
            spec: &self.policy,
            valid: self.valid,
            problem: None,
            window: self.window.clone(),
        };
        let observed = Observed {
            node: self.node.as_ref(),
            generation: Some(self.spec_generation),
            spec: &self.spec,
            agent: self.agent.as_ref(),
            agent_heard: self.agent_heard,
            maintenance: &self.maintenance,
            wish: &self.wish,
            policy: Some(&policy).filter(|_| self.wish != Wish::Unmanaged),
            slot: self.slot.as_ref(),
            pods: &self.pods,
            configs: &self.configs,
            evictions: &self.evictions,
            budgets: &self.budgets,
            may_force: self.may_force,
        };
        step(&observed, now, &Limits::default())
    }
}

impl World {
    pub(in super::super) fn operator_reads(&mut self) {
        self.snapshot = Some(self.look());
    }

    pub(in super::super) fn deposed_reads(&mut self) {
        self.deposed = Some(self.look());
    }

    /// A leader that does not know that it is none any more acts on what it read long ago: its lease should prevent that,
    /// and if it does not, every write is still a compare-and-swap.
    pub(in super::super) fn deposed_acts(&mut self) {
        std::mem::swap(&mut self.snapshot, &mut self.deposed);
        self.operator_acts(u32::MAX);
        std::mem::swap(&mut self.snapshot, &mut self.deposed);
    }

    pub(in super::super) fn look(&mut self) -> Snapshot {
        let operation = self
            .agent
            .as_ref()
            .and_then(|agent| agent.operation.clone());
        if self.heard.0 != operation {
            self.heard = (operation, self.now);
        }
        Snapshot {
            node: self.node.clone(),
            node_version: self.node_version,
            spec: self.spec.clone(),
            agent: self.agent.clone(),
            agent_heard: self.heard.1,
            maintenance: self.maintenance.clone(),
            gpu_node_version: self.gpu_node_version,
            spec_generation: self.spec_generation,
            wish: self.wish(),
            policy: self.policy.clone(),
            generation: self.generation,
            valid: self.valid,
            window: self.window.clone(),
            slot: self.slot.clone(),
            pods: self.pods.clone(),
            configs: self.configs.clone(),
            evictions: self.evictions.clone(),
            budgets: self.budgets.clone(),
            may_force: self.may_force,
        }
    }

    /// Acts on what was read. `survives`: so many writes, then it dies and forgets everything.
    pub(in super::super) fn operator_acts(&mut self, survives: u32) -> Option<Next> {
        let seen = self.snapshot.take()?;
        let step = seen.step(self.now);
        invariants::check(&seen, &step, self.checks_scope);
        explained::check(&seen, &step);
        let mut left = survives;
        for effect in &step.effects {
            if left == 0 {
                self.operator_dies();
                return None;
            }
            left -= 1;
            if !self.perform(&seen, effect) {
                return None;
            }
        }
        if step.status != seen.maintenance {
            if left == 0 {
                self.operator_dies();
                return None;
            }
            if seen.gpu_node_version + asks(&step) != self.gpu_node_version {
                return None;
            }
            self.maintenance = step.status.clone();
            self.gpu_node_version += 1;
            self.writes += 1;
        }
        self.events
            .extend(step.events.iter().map(|event| event.reason.as_str()));
        self.pod_events.extend(step.pod_events);
        if !matches!(self.maintenance.phase, crds::gpu_node::Phase::Draining) {
            self.evictions.clear();
        }
        Some(step.next)
    }

    pub(in super::super) fn operator_dies(&mut self) {
        self.snapshot = None;
        self.evictions.clear();
        self.heard = (None, self.now);
    }

    fn perform(&mut self, seen: &Snapshot, effect: &Effect) -> bool {
        self.writes += 1;
        match effect {
            Effect::Cordon {
                operation,
                pre_cordoned,
            } => self.swap_node(seen, |node| {
                if !node.unschedulable {
                    node.cordon_is_ours = true;
                }
                node.unschedulable = true;
                node.tainted = true;
                node.operation = Some(*operation);
                node.pre_cordoned = *pre_cordoned;
                node.guarantees.clear();
            }),
            Effect::Uncordon {
                schedulable,
                labels,
            } => self.swap_node(seen, |node| {
                node.operation = None;
                node.pre_cordoned = false;
                node.tainted = false;
                if *schedulable {
                    node.unschedulable = false;
                    node.cordon_is_ours = true;
                }
                label(node, labels);
            }),
            Effect::Label(labels) => self.swap_node(seen, |node| label(node, labels)),
            Effect::PublishConfig { key, content } => {
                self.configs.insert(key.clone(), content.clone());
                true
            }
            Effect::Ask(spec) => {
                if seen.gpu_node_version != self.gpu_node_version {
                    return false;
                }
                self.spec_generation += i64::from(self.spec != *spec);
                self.spec = spec.clone();
                self.gpu_node_version += 1;
                true
            }
            Effect::Evict { pod, .. } => {
                let reply = self.api_evicts(&pod.uid);
                let memory =
                    EvictionMemory::after(self.evictions.get(&pod.uid), pod, &reply, self.now);
                if let Some(memory) = memory {
                    self.evictions.insert(pod.uid.clone(), memory);
                }
                true
            }
            Effect::Delete { pod, .. } => {
                let reply = self.api_deletes(&pod.uid);
                let before = self.evictions.get(&pod.uid);
                let memory = EvictionMemory::after(before, pod, &reply, self.now);
                if let Some(memory) = memory {
                    self.evictions.insert(pod.uid.clone(), memory.of_deletion());
                }
                true
            }
        }
    }

    fn swap_node(&mut self, seen: &Snapshot, change: impl FnOnce(&mut NodeView)) -> bool {
        if seen.node_version != self.node_version || self.node.is_none() {
            return false;
        }
        self.change_node(change);
        true
    }

    fn api_evicts(&mut self, uid: &str) -> Reply {
        if !self.pods.iter().any(|pod| pod.reference.uid == uid) {
            return Reply::Gone;
        }
        if self.namespace_ends {
            return Reply::NamespaceEnding;
        }
        if self.budget_blocks {
            return Reply::of(&Answer {
                code: 429,
                failure: true,
                causes: vec![Cause {
                    reason: "DisruptionBudget".to_owned(),
                    message: "The disruption budget web needs 3 healthy pods and has 3 currently"
                        .to_owned(),
                }],
                ..Answer::default()
            });
        }
        self.ends(uid);
        Reply::Accepted
    }

    fn api_deletes(&mut self, uid: &str) -> Reply {
        if self.deletions_are_forbidden {
            return Reply::Forbidden("cannot delete resource pods".to_owned());
        }
        self.ends(uid);
        Reply::Accepted
    }

    fn ends(&mut self, uid: &str) {
        self.evicted.insert(uid.to_owned());
        for pod in self.pods.iter_mut().filter(|pod| pod.reference.uid == uid) {
            pod.leaving_since = pod.leaving_since.or(Some(self.now));
            let grace = SignedDuration::from_secs(pod.own_grace);
            pod.leaving_until = pod.leaving_until.or(Some(self.now + grace));
        }
    }
}

fn label(node: &mut NodeView, labels: &BTreeMap<String, Option<String>>) {
    for (key, value) in labels {
        if key == crds::names::LABEL_PLUGIN_CONFIG {
            node.plugin_config.clone_from(value);
        } else if let Some(value) = value {
            node.guarantees.insert(key.clone(), value.clone());
        } else {
            node.guarantees.remove(key);
        }
    }
}

/// Its own writes to the object move the version too; the driver knows what they returned.
fn asks(step: &Step) -> u64 {
    let asks = step
        .effects
        .iter()
        .filter(|effect| matches!(effect, Effect::Ask(_)));
    asks.count() as u64
}
