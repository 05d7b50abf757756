//! The operator's driver: reads, decides, acts, reports, and may die between any two of these.

use std::collections::BTreeMap;

use crds::gpu_node::{AgentStatus, MaintenanceStatus, PolicyReference};
use crds::policy::Slot;
use crds::{GpuNodeSpec, GpuSharingPolicySpec};
use jiff::{SignedDuration, Timestamp};

use super::{World, explained, invariants, legal, promised};
use crate::diagnosis::Stack;
use crate::drain::{Answer, BudgetView, Cause, EvictionMemory, Reply};
use crate::maintenance::tests::fixtures;
use crate::maintenance::{Effect, Limits, Next, Observed, PolicyView, Pulse, Step, step};
use crate::neighbours::MigManager;
use crate::node::NodeView;
use crate::plugin_config::Entry;
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
    pub(in super::super) reference: PolicyReference,
    pub(in super::super) valid: bool,
    pub(in super::super) halted: Option<String>,
    pub(in super::super) window: WindowState,
    pub(in super::super) slot: Option<Slot>,
    pub(in super::super) pods: Vec<PodView>,
    pub(in super::super) configs: BTreeMap<String, Entry>,
    /// When each of their texts came there in truth.
    pub(in super::super) published: BTreeMap<String, Timestamp>,
    pub(in super::super) evictions: BTreeMap<String, EvictionMemory>,
    pub(in super::super) stack: Option<Stack>,
    pub(in super::super) budgets: Vec<BudgetView>,
    pub(in super::super) may_force: bool,
    pub(in super::super) may_restart_plugin: bool,
}

impl Snapshot {
    pub(in super::super) fn step(&self, now: Timestamp) -> Step {
        let policy = PolicyView {
            reference: self.reference.clone(),
            spec: &self.policy,
            valid: self.valid,
            problem: None,
            halted: self.halted.clone(),
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
            stack: self.stack.as_ref(),
            refresh: &fixtures::refresh(),
            evictions: &self.evictions,
            budgets: &self.budgets,
            may_force: self.may_force,
            may_restart_plugin: self.may_restart_plugin,
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
        let clock = self.clock();
        if let Some(schedule) = &self.schedule {
            self.window = schedule.at(clock);
        }
        Snapshot {
            node: self.node.clone(),
            node_version: self.node_version,
            spec: self.spec.clone(),
            agent: self.agent.clone(),
            agent_heard: self.pulse.hear(self.agent.as_ref(), clock),
            maintenance: self.maintenance.clone(),
            gpu_node_version: self.gpu_node_version,
            spec_generation: self.spec_generation,
            wish: self.wish(),
            policy: self.policy.clone(),
            reference: self.reference(),
            valid: self.valid,
            halted: self.halted.clone(),
            window: self.window.clone(),
            slot: self.slot.clone(),
            pods: self.pods.clone(),
            configs: self.configs.clone(),
            published: self.published.clone(),
            evictions: self.evictions.clone(),
            stack: self.stack.clone(),
            budgets: self.budgets.clone(),
            may_force: self.may_force,
            may_restart_plugin: self.may_restart_plugin,
        }
    }

    /// Acts on what was read. `survives`: so many writes, then it dies and forgets everything.
    pub(in super::super) fn operator_acts(&mut self, survives: u32) -> Option<Next> {
        let seen = self.snapshot.take()?;
        let step = seen.step(self.clock());
        invariants::check(&seen, &step, self.now, self.checks_scope);
        explained::check(&seen, &step);
        legal::check(&step);
        promised::check(&seen, &step);
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

    /// Somebody writes an entry of the device plugin's `ConfigMap`.
    pub(in super::super) fn publish(&mut self, key: &str, content: &str, since: Option<Timestamp>) {
        let content = content.to_owned();
        let before = self.configs.get(key).map(|entry| &entry.content);
        if before != Some(&content) {
            self.published.insert(key.to_owned(), self.now);
        }
        self.configs
            .insert(key.to_owned(), Entry { content, since });
    }

    pub(in super::super) fn operator_dies(&mut self) {
        self.snapshot = None;
        self.evictions.clear();
        self.pulse = Pulse::default();
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
            Effect::Remember {
                labels,
                annotations,
            } => self.swap_node(seen, |node| {
                remember(node, annotations);
                node.guarantees
                    .retain(|label, _| labels.get(label) != Some(&None));
            }),
            Effect::PublishConfig {
                key,
                content,
                since,
            } => {
                self.publish(key, content, Some(*since));
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
                    EvictionMemory::after(self.evictions.get(&pod.uid), pod, &reply, self.clock());
                if let Some(memory) = memory {
                    self.evictions.insert(pod.uid.clone(), memory);
                }
                true
            }
            Effect::Restart(pod) => {
                self.restarted.push(pod.name.clone());
                true
            }
            Effect::Delete { pod, .. } => {
                let reply = self.api_deletes(&pod.uid);
                let before = self.evictions.get(&pod.uid);
                let memory = EvictionMemory::after(before, pod, &reply, self.clock());
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
        if let Some(reply) = self.instead(uid) {
            return reply;
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
        if let Some(reply) = self.instead(uid) {
            return reply;
        }
        if self.deletions_are_forbidden {
            return Reply::Forbidden("cannot delete resource pods".to_owned());
        }
        self.ends(uid);
        Reply::Accepted
    }

    /// What the API server answers instead of doing what it is asked, or beside it.
    fn instead(&mut self, uid: &str) -> Option<Reply> {
        let reply = Reply::of(self.answer.as_ref()?);
        if self.answer_is_wrong || reply == Reply::Accepted {
            self.ends(uid);
        }
        Some(reply)
    }

    fn ends(&mut self, uid: &str) {
        self.evicted.insert(uid.to_owned());
        for pod in self.pods.iter_mut().filter(|pod| pod.reference.uid == uid) {
            pod.leaving_since = pod.leaving_since.or(Some(self.now));
            let grace = SignedDuration::from_secs(pod.own_grace);
            let until = self.now.saturating_add(grace).unwrap_or(Timestamp::MAX);
            pod.leaving_until = pod.leaving_until.or(Some(until));
        }
    }
}

fn label(node: &mut NodeView, labels: &BTreeMap<String, Option<String>>) {
    for (key, value) in labels {
        if key == crds::names::LABEL_PLUGIN_CONFIG {
            node.plugin_config.clone_from(value);
        } else if crds::names::GPU_CLIENT_LABELS.contains(&key.as_str()) {
            deploy(node, key, value.as_deref());
        } else if let Some(value) = value {
            node.guarantees.insert(key.clone(), value.clone());
        } else {
            node.guarantees.remove(key);
        }
    }
}

/// A GPU client runs while its label is `true`.
fn deploy(node: &mut NodeView, key: &str, value: Option<&str>) {
    let clients = &mut node.neighbours.clients;
    clients.running.remove(key);
    clients.paused.remove(key);
    let set = match value {
        Some("true") => &mut clients.running,
        Some(crds::names::GPU_CLIENT_PAUSED) => &mut clients.paused,
        _ => return,
    };
    set.insert(key.to_owned());
}

/// Takes the node from MIG Manager, or gives it back.
fn remember(node: &mut NodeView, annotations: &BTreeMap<String, Option<String>>) {
    let deployed = || Some("true".to_owned());
    node.neighbours.mig_manager = match annotations.get(crds::names::ANNOTATION_MIG_MANAGER) {
        Some(Some(_)) => MigManager::TakenOver {
            before: deployed(),
            is_intact: true,
        },
        Some(None) | None => MigManager::Acts {
            evidence: "a label".to_owned(),
            deployed: deployed(),
            is_busy: false,
        },
    };
}

/// Its own writes to the object move the version too; the driver knows what they returned.
fn asks(step: &Step) -> u64 {
    let asks = step
        .effects
        .iter()
        .filter(|effect| matches!(effect, Effect::Ask(_)));
    asks.count() as u64
}
