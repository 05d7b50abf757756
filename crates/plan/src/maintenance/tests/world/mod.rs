//! A world with one node: its agent, its device plugin, its pods, people, and the operator, each acting when told to.

mod agent;
mod explained;
mod invariants;
mod legal;
mod names;
mod operator;
mod people;
mod plugin;
mod promised;

use std::collections::{BTreeMap, BTreeSet};

use crds::gpu_node::{
    AgentOperation, AgentStatus, GpuStatus, MaintenanceStatus, MigMode, MpsDaemon, OperationResult,
    Phase, PolicyReference,
};
use crds::policy::Slot;
use crds::{GpuNodeSpec, GpuSharingPolicySpec};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use super::fixtures;
use crate::conditions;
use crate::diagnosis::Stack;
use crate::drain::{Answer, BudgetView, EvictionMemory};
use crate::maintenance::{Next, PodEvent, Pulse};
use crate::node::NodeView;
use crate::plugin_config::Entry;
use crate::pod::PodView;
use crate::resolve::Wish;
use crate::windows::{Schedule, WindowState};

pub(super) use names::{Names, PodNames, dotted};
pub(super) use operator::Snapshot;

/// What the world's policy asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    Nothing,
    Impossible,
    /// The GPU whole, and served through MPS.
    Served,
    Layout(&'static [(&'static str, i32)]),
}

/// A step of the agent that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Refuse,
    Create,
    CreateAndRollBack,
}

#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is something that may be so or not, whatever the others are"
)]
pub(super) struct World {
    pub(super) now: Timestamp,
    pub(super) names: Names,
    // The API server's objects, with the versions that compare-and-swap is made on.
    pub(super) node: Option<NodeView>,
    pub(super) node_version: u64,
    pub(super) spec: GpuNodeSpec,
    pub(super) agent: Option<AgentStatus>,
    pub(super) maintenance: MaintenanceStatus,
    pub(super) gpu_node_version: u64,
    /// Moves with `spec` only.
    pub(super) spec_generation: i64,
    pub(super) pods: Vec<PodView>,
    pub(super) configs: BTreeMap<String, Entry>,
    /// When each of their texts came there in truth.
    pub(super) published: BTreeMap<String, Timestamp>,
    pub(super) policy: GpuSharingPolicySpec,
    pub(super) generation: i64,
    pub(super) valid: bool,
    /// Says at each look what the window is; none: it stays as it is.
    pub(super) schedule: Option<Schedule>,
    pub(super) window: WindowState,
    pub(super) slot: Option<Slot>,
    // The machine.
    pub(super) gpu: GpuStatus,
    pub(super) daemon: Option<MpsDaemon>,
    pub(super) devices: BTreeMap<String, String>,
    pub(super) agent_is_up: bool,
    pub(super) journal: Option<AgentOperation>,
    pub(super) agent_saw: Option<(GpuNodeSpec, u64)>,
    pub(super) fault: Option<Fault>,
    /// What the agent says instead of its own words about a step that failed.
    pub(super) agent_words: Option<String>,
    /// Why the agent is not ready, if it is not.
    pub(super) agent_trouble: Option<String>,
    pub(super) plugin_is_up: bool,
    pub(super) plugin_key: Option<String>,
    pub(super) created: u32,
    // People and budgets.
    pub(super) want: Want,
    /// Why the policy starts nothing more, if so.
    pub(super) halted: Option<String>,
    pub(super) budget_blocks: bool,
    pub(super) namespace_ends: bool,
    /// What the API server answers to evictions and deletions instead of doing them.
    pub(super) answer: Option<Answer>,
    /// It does them all the same.
    pub(super) answer_is_wrong: bool,
    pub(super) budgets: Vec<BudgetView>,
    /// What the operator sees of the device plugin, if it looks.
    pub(super) stack: Option<Stack>,
    pub(super) may_force: bool,
    pub(super) may_restart_plugin: bool,
    pub(super) deletions_are_forbidden: bool,
    pub(super) pods_never_end: bool,
    pub(super) checks_scope: bool,
    pub(super) admin_keeps_it_cordoned: bool,
    pub(super) nodes_made: u32,
    // The operator's clock, and its memory.
    /// So far ahead of the others' clocks.
    pub(super) ahead: SignedDuration,
    pub(super) snapshot: Option<Snapshot>,
    /// What a leader that has been deposed since has read.
    pub(super) deposed: Option<Snapshot>,
    pub(super) evictions: BTreeMap<String, EvictionMemory>,
    pub(super) pulse: Pulse,
    pub(super) events: Vec<&'static str>,
    pub(super) pod_events: Vec<PodEvent>,
    pub(super) evicted: BTreeSet<String>,
    pub(super) restarted: Vec<String>,
    pub(super) writes: u32,
    rounds: u32,
}

impl World {
    /// A node in sync with the layout before, a pod on each of its slices, and a policy that asks for another.
    pub(super) fn new() -> Self {
        let now = fixtures::start();
        let mut world = Self {
            now,
            names: Names::default(),
            node: None,
            node_version: 1,
            spec: GpuNodeSpec::default(),
            agent: None,
            maintenance: MaintenanceStatus::default(),
            gpu_node_version: 1,
            spec_generation: 1,
            pods: Vec::new(),
            configs: BTreeMap::new(),
            published: BTreeMap::new(),
            policy: fixtures::policy(),
            generation: 1,
            valid: true,
            schedule: None,
            window: WindowState::Always,
            slot: None,
            gpu: fixtures::gpu(fixtures::BEFORE),
            daemon: None,
            devices: BTreeMap::new(),
            agent_is_up: true,
            journal: None,
            agent_saw: None,
            fault: None,
            agent_words: None,
            agent_trouble: None,
            plugin_is_up: true,
            plugin_key: None,
            created: 0,
            want: Want::Layout(fixtures::BEFORE),
            halted: None,
            budget_blocks: false,
            namespace_ends: false,
            answer: None,
            answer_is_wrong: false,
            budgets: Vec::new(),
            stack: None,
            may_force: true,
            may_restart_plugin: false,
            deletions_are_forbidden: false,
            pods_never_end: false,
            checks_scope: true,
            admin_keeps_it_cordoned: false,
            nodes_made: 0,
            snapshot: None,
            deposed: None,
            evictions: BTreeMap::new(),
            ahead: SignedDuration::ZERO,
            pulse: Pulse::default(),
            events: Vec::new(),
            pod_events: Vec::new(),
            evicted: BTreeSet::new(),
            restarted: Vec::new(),
            writes: 0,
            rounds: 0,
        };
        world.make_node();
        for start in [0, 1, 2] {
            world.bind(&format!("MIG-{start}"));
        }
        world.agent_acts();
        world
    }

    /// In sync with the layout before; nothing is left to do.
    pub(super) fn in_sync() -> Self {
        Self::new().until(Phase::InSync)
    }

    /// In sync with the layout before, and the policy has come to ask for another that keeps one slice.
    pub(super) fn changing() -> Self {
        let mut world = Self::in_sync();
        world.events.clear();
        world.wants(Want::Layout(fixtures::AFTER));
        world
    }

    /// As before a person has turned MIG off and emptied the node: the mode has to be switched back, and the policy has
    /// said so.
    pub(super) fn switching() -> Self {
        let mut world = Self::in_sync();
        world.events.clear();
        world.gpu.mig.current = MigMode::Disabled;
        world.gpu.mig.pending = MigMode::Disabled;
        world.gpu.instances.clear();
        world.pods.clear();
        world.devices.clear();
        world.agent_acts();
        world.round();
        world
    }

    /// Lets everybody act until the node is in this phase.
    pub(super) fn until(mut self, phase: Phase) -> Self {
        for _ in 0..1_000 {
            if self.maintenance.phase == phase {
                return self;
            }
            self.round();
        }
        panic!("never in {phase:?}: {:#?}", self.maintenance);
    }

    /// The clock moves to this moment, and everybody acts.
    pub(super) fn until_after(mut self, moment: Timestamp) -> Self {
        self.now = moment.max(self.now);
        self.round();
        self
    }

    /// Lets everybody act for so many seconds.
    pub(super) fn rounds(mut self, seconds: u32) -> Self {
        for _ in 0..seconds {
            self.round();
        }
        self
    }

    /// Everybody acts once, and a second passes.
    pub(super) fn round(&mut self) {
        self.rounds += 1;
        assert!(
            self.rounds < 20_000,
            "goes on for ever: {:#?}",
            self.maintenance
        );
        self.everybody_acts();
        self.pass(1);
    }

    /// Everybody does what they should, once; the operator last.
    pub(super) fn everybody_acts(&mut self) -> Option<Next> {
        self.admission_acts();
        self.plugin_acts();
        self.pods_end();
        self.agent_acts();
        self.operator_reads();
        let next = self.operator_acts(u32::MAX);
        self.check_world();
        next
    }

    /// The reason and the message of a condition, if it is `True`.
    pub(super) fn says(&self, kind: &str) -> Option<(&str, &str)> {
        let condition = conditions::find(&self.maintenance.conditions, kind)?;
        let is_true = condition.status == "True";
        is_true.then_some((condition.reason.as_str(), condition.message.as_str()))
    }

    /// The result and the reason of the latest operation.
    pub(super) fn latest(&self) -> Option<(OperationResult, &str)> {
        let latest = self.maintenance.history.first()?;
        Some((latest.result, latest.reason.as_str()))
    }

    pub(super) fn the_node(&self) -> &NodeView {
        self.node.as_ref().expect("a node")
    }

    pub(super) fn pass(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    /// What the operator's clock shows.
    pub(super) fn clock(&self) -> Timestamp {
        self.now + self.ahead
    }

    pub(super) fn wish(&self) -> Wish {
        let gpus = self.agent.as_ref().map_or(&[][..], |agent| &agent.gpus);
        match self.want {
            Want::Nothing => Wish::Unmanaged,
            Want::Impossible => Wish::Refused {
                policy: self.reference(),
                problem: fixtures::problem(),
            },
            Want::Served => fixtures::goal_for(gpus, fixtures::served(), self.reference()),
            Want::Layout(layout) => fixtures::goal(gpus, layout, self.reference()),
        }
    }

    fn reference(&self) -> PolicyReference {
        PolicyReference {
            name: self.names.policy.clone(),
            ..fixtures::reference(self.generation)
        }
    }

    fn ready(&self) -> Condition {
        let trouble = self.agent_trouble.as_ref();
        let status = if trouble.is_none() { "True" } else { "False" };
        Condition {
            type_: "Ready".to_owned(),
            status: status.to_owned(),
            reason: "Ready".to_owned(),
            message: trouble.cloned().unwrap_or_default(),
            observed_generation: None,
            last_transition_time: Time(fixtures::start()),
        }
    }
}
