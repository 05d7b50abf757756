//! What an operator sees of one node, as the product's step takes it.

use std::collections::{BTreeMap, BTreeSet};

use crds::gpu_node::{
    AgentOperation, AgentStatus, BlockedPod, GpuStatus, MaintenanceStatus, PodReference,
};
use crds::policy::Slot;
use crds::{GpuNodeSpec, GpuSharingPolicy};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, MicroTime, Time};
use plan::drain::EvictionMemory;
use plan::maintenance::{Limits, Observed, PolicyView, Refresh, Step, step};
use plan::neighbours::MigManager;
use plan::node::NodeView;
use plan::pod::{Controller, PodView, Protection, Tier};
use plan::resolve::{self, Goal, Problem, ProblemReason, Wish};
use plan::windows::Schedule;
use plan::{change, guarantees};

use crate::forget::{AHEAD, after, now};
use crate::world::machine::{Pod, PodStage, Who};
use crate::world::node::{Report, uid};
use crate::world::operator::{Eviction, Heard};
use crate::world::slices::Slices;
use crate::world::stack::{CLIENTS, Program};
use crate::world::{self, Configs};

/// Of every `GpuNode`: conditions carry it, and nothing goes by it.
const GENERATION: i64 = 1;

/// What an operator sees of one node.
#[derive(Clone, Debug)]
pub struct Sight {
    /// The Node.
    pub node: Option<NodeView>,
    /// `GpuNode.spec`.
    pub spec: GpuNodeSpec,
    /// `GpuNode.status.agent`.
    pub agent: Option<AgentStatus>,
    /// When the agent's beat was first heard.
    pub heard: Timestamp,
    /// `GpuNode.status.maintenance`.
    pub maintenance: MaintenanceStatus,
    /// The policy, whether it has been judged, and the layout that it asks for; none selects the node.
    pub policy: Option<(GpuSharingPolicy, bool, Slices)>,
    /// The node's slot.
    pub slot: Option<Slot>,
    /// All pods.
    pub pods: Vec<PodView>,
    /// What the device plugin may be told.
    pub configs: Configs,
    /// What is remembered of evictions.
    pub evictions: BTreeMap<String, EvictionMemory>,
}

impl Sight {
    /// The product's next step.
    pub fn step(&self) -> Step {
        let wish = self.wish();
        let policy = self.policy.as_ref().map(|(policy, judged, _)| PolicyView {
            reference: resolve::reference(policy),
            spec: &policy.spec,
            valid: *judged,
            problem: None,
            halted: None,
            window: Schedule::parse(&policy.spec.maintenance)
                .expect("windows that can be read")
                .at(now()),
        });
        let observed = Observed {
            node: self.node.as_ref(),
            generation: Some(GENERATION),
            spec: &self.spec,
            agent: self.agent.as_ref(),
            agent_heard: self.heard,
            maintenance: &self.maintenance,
            wish: &wish,
            policy: policy.as_ref(),
            slot: self.slot.as_ref(),
            pods: &self.pods,
            configs: &self.configs,
            stack: None,
            refresh: &Refresh::default(),
            evictions: &self.evictions,
            budgets: &[],
            may_force: true,
            may_restart_plugin: false,
        };
        step(&observed, now(), &Limits::default())
    }

    /// The GPU, as the agent has told it.
    pub fn gpus(&self) -> &[GpuStatus] {
        self.agent.as_ref().map_or(&[], |agent| &agent.gpus)
    }

    /// What of NVIDIA's forbids the policy on the node, by the product's own word.
    fn refused(&self, policy: &GpuSharingPolicy) -> Option<Problem> {
        let neighbours = &self.node.as_ref()?.neighbours;
        if neighbours.mig_manager == MigManager::Away {
            return None;
        }
        let (labels, nobody) = (BTreeMap::new(), BTreeSet::new());
        let (_, wish) = resolve::wish([policy], &labels, neighbours, self.gpus(), &nobody);
        match wish {
            Wish::Refused { problem, .. } if problem.reason == ProblemReason::ForeignManager => {
                Some(problem)
            }
            Wish::Refused { .. } | Wish::Unmanaged | Wish::Goal(_) => None,
        }
    }

    fn wish(&self) -> Wish {
        let Some((policy, _, want)) = &self.policy else {
            return Wish::Unmanaged;
        };
        if let Some(problem) = self.refused(policy) {
            return Wish::Refused {
                policy: resolve::reference(policy),
                problem,
            };
        }
        let target = want.target();
        let gpus = self.gpus();
        Wish::Goal(Goal {
            policy: resolve::reference(policy),
            strategy: "mig".to_owned(),
            change: change::between(gpus, &target),
            guarantees: guarantees::labels(&target, world::policy::NAME),
            target,
            is_proved: true,
        })
    }
}

/// The agent's part of a status. `has_keeper`: a pod holds the slice that every target keeps.
pub fn agent(report: &Report, has_keeper: bool) -> AgentStatus {
    let keeper = has_keeper.then_some(("keeper", Slices::KEPT));
    let mut holders: Vec<_> = keeper.into_iter().collect();
    let pods = Who::ALL.into_iter();
    let held = pods.filter(|who| report.holders[who.index()]);
    holders.extend(held.map(|who| (who.name(), who.slice())));
    AgentStatus {
        boot_id: "boot".to_owned(),
        gpus: vec![report.slices.gpu(&holders)],
        operation: report.answer.map(|answer| AgentOperation {
            id: answer.id.into(),
            stage: answer.stage,
            beat: MicroTime(now()),
            error: answer.error.then(|| "something".to_owned()),
            previous: Vec::new(),
        }),
        conditions: vec![Condition {
            type_: "Ready".to_owned(),
            status: "True".to_owned(),
            reason: "Observed".to_owned(),
            message: String::new(),
            observed_generation: None,
            last_transition_time: Time(now()),
        }],
        ..AgentStatus::default()
    }
}

/// When the agent's beat was first heard.
pub fn heard(heard: Heard) -> Timestamp {
    match heard {
        Heard::Fresh => now(),
        Heard::Old => after(-20),
        Heard::Lost => after(-40),
    }
}

/// All pods on the node: those that come and go, the one that stays, and NVIDIA's.
pub fn pods(pods: [Pod; 2], runs: [bool; 2], has_keeper: bool) -> Vec<PodView> {
    let present = Who::ALL
        .into_iter()
        .filter_map(|who| pod(who, pods[who.index()]));
    let keeper = || view("keeper", 1, PodStage::Running, "nvidia.com/mig-1g.5gb");
    let programs = Program::ALL.into_iter();
    let programs = programs.filter(|program| runs[program.index()]);
    present
        .chain(has_keeper.then(keeper))
        .chain(programs.map(program))
        .collect()
}

fn program(program: Program) -> PodView {
    let (name, app, needs) = match program {
        Program::Client => ("nvidia-dcgm", "nvidia-dcgm", Some(CLIENTS[0].to_owned())),
        Program::Manager => ("nvidia-mig-manager", "nvidia-mig-manager", None),
    };
    PodView {
        labels: BTreeMap::from([("app".to_owned(), app.to_owned())]),
        controller: Controller::DaemonSet,
        gpus: BTreeMap::new(),
        client_of: needs.into_iter().collect(),
        ..view(name, 1, PodStage::Running, "nothing")
    }
}

fn pod(who: Who, pod: Pod) -> Option<PodView> {
    let resource = match who {
        Who::Victim => "nvidia.com/mig-2g.10gb",
        Who::Late => "nvidia.com/mig-1g.5gb",
    };
    (pod.stage != PodStage::Absent).then(|| view(who.name(), pod.uid, pod.stage, resource))
}

fn view(name: &str, uid: u8, stage: PodStage, resource: &str) -> PodView {
    let is_young = stage == PodStage::Bound { long: false };
    let is_leaving = matches!(stage, PodStage::Leaving { .. });
    PodView {
        reference: reference(name, uid),
        labels: BTreeMap::from([("app".to_owned(), name.to_owned())]),
        finished: false,
        leaving_since: is_leaving.then(now),
        leaving_until: is_leaving.then(|| after(AHEAD)),
        finalizers: Vec::new(),
        own_grace: 30,
        tier: Tier::Ordinary,
        controller: Controller::Other("StatefulSet".to_owned()),
        empty_dir: false,
        gpus: BTreeMap::from([(resource.to_owned(), 1)]),
        gpu_since: None,
        client_of: BTreeSet::new(),
        is_mps_daemon: false,
        protection: Protection::None,
        started: stage.holds().then(|| after(-AHEAD)),
        bound: Some(after(if is_young { 0 } else { -AHEAD })),
    }
}

/// A pod.
pub fn reference(name: &str, uid: u8) -> PodReference {
    PodReference {
        namespace: "default".to_owned(),
        name: name.to_owned(),
        uid: format!("{name}-{uid}"),
    }
}

/// What is remembered of evictions.
pub fn evictions(known: [Option<Eviction>; 2]) -> BTreeMap<String, EvictionMemory> {
    let all = Who::ALL.into_iter();
    let memories = all.filter_map(|who| Some(memory(who, known[who.index()]?)));
    memories.map(|it| (it.pod.uid.clone(), it)).collect()
}

/// What is remembered of one eviction.
pub fn memory(who: Who, known: Eviction) -> EvictionMemory {
    let pod = reference(who.name(), known.uid);
    let block = BlockedPod {
        pod: format!("{}/{}", pod.namespace, pod.name),
        reason: "DisruptionBudget".to_owned(),
        message: "the budget web".to_owned(),
    };
    EvictionMemory {
        pod,
        accepted: known.accepted,
        forced: false,
        refused: u32::from(!known.accepted),
        next: after(if known.due { -AHEAD } else { AHEAD }),
        block: (!known.accepted).then_some(block),
    }
}

/// A slot as the policy has it.
pub fn slot(place: world::Place, slot: world::policy::Slot) -> Slot {
    Slot {
        node: place.name().to_owned(),
        uid: uid(slot.uid),
        operation: slot.operation.into(),
        since: Time(now()),
    }
}
