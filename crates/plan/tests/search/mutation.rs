//! What the product would do if a line of it were wrong: the search must find each of them out.

use std::collections::BTreeMap;

use crds::gpu_node::{AgentStage, MaintenanceStatus, OperationResult, OperationStage, Phase};
use crds::names::{ANNOTATION_MIG_MANAGER, GPU_CLIENT_PAUSED};
use crds::policy::Slot;
use crds::{GpuSharingPolicy, NodeCount};
use plan::admission::{self, NodeSummary};
use plan::conditions;
use plan::maintenance::{Effect, Step};
use plan::neighbours::MigManager;

use crate::forget::{AHEAD, after, now};
use crate::sight::Sight;
use crate::world::stack::CLIENTS;

type Written = BTreeMap<String, Option<String>>;

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// Patches of Nodes do not name the version that they are based on.
    PatchesNodesBlindly,
    /// Nor do writes of `GpuNode`s.
    WritesGpuNodesBlindly,
    /// Evictions do not name the pod's UID.
    EvictsByName,
    /// There is no taint, and the agent does not look for holders before it destroys: the cordon alone keeps pods off, and an
    /// admin may take it off. Either of the two would do.
    LeavesPodsToTheCordon,
    /// The agent announces `Destroying` whatever has been written since it read the go-ahead.
    AgentAnnouncesBlindly,
    /// Slots are granted whether the window is open or not.
    IgnoresWindow,
    /// An operation goes on whether the window is open or not.
    OutstaysWindow,
    /// Whoever made a cordon, it is taken for ours.
    TrustsAnyCordon,
    /// Every node is made schedulable in the end.
    AlwaysUncordons,
    /// The marker goes in one write, the cordon in the next.
    DropsMarkerFirst,
    /// Our own cordon from an operation before is taken for somebody else's.
    ForgetsOldMarker,
    /// Nobody looks for nodes that were left cordoned.
    NeverSweeps,
    /// The agent is told to go ahead at once.
    GoesAheadAtOnce,
    /// One node more than the budget allows.
    AdmitsOneTooMany,
    /// What the agent says of another operation is taken for an answer.
    TakesAnyAnswer,
    /// Pods are deleted instead of evicted: no budget is asked.
    DeletesPastBudgets,
    /// A quarantine is not told.
    HidesQuarantine,
    /// An operation follows the policy's rules as they are now, not as they were when it began.
    FollowsEditedRules,
    /// That the agent has begun is not noticed.
    OverlooksBeginning,
    /// The plugin is told of a configuration as soon as it is published.
    TellsThePluginAtOnce,
    /// NVIDIA's GPU clients are left alone while the mode is switched.
    PausesNobody,
    /// They are paused while pods are still asked to leave.
    PausesEarly,
    /// Those that are paused are forgotten once the layout from before is back.
    ForgetsPausedAfterRollback,
    /// The same once an operation is given up.
    ForgetsPausedWhenGivenUp,
    /// The same on a node that is quarantined.
    ForgetsPausedInQuarantine,
    /// All of them run in the end, also one that an admin keeps away.
    ResumesEverybody,
    /// Nodes that no policy selects any more are not looked at.
    LooksAway,
    /// Nobody asks whether MIG Manager has the node.
    IgnoresMigManager,
    /// A node is taken from MIG Manager whether the policy says so or not.
    TakesUnasked,
    /// What is taken is remembered as it is now, also when that is our own word.
    RemembersOwnWord,
    /// A node is not given back to MIG Manager.
    NeverGivesBack,
    /// An upgrade of the driver is not noticed.
    IgnoresUpgrade,
}

impl Mutation {
    /// A step with this mistake. Where that is in what the step is given or in what is made of it, it is there.
    pub fn step(self, sight: &Sight) -> Step {
        let mut sight = sight.clone();
        self.blind(&mut sight);
        let mut step = sight.step();
        step.effects = step
            .effects
            .into_iter()
            .flat_map(|it| self.spoil(&sight, it))
            .collect();
        self.misreport(&sight, &mut step.status);
        if self == Self::PausesEarly {
            step.effects.splice(0..0, pause(&sight));
        }
        step
    }

    /// What is seen wrong.
    fn blind(self, sight: &mut Sight) {
        self.blind_to_nvidia(sight);
        match self {
            Self::TrustsAnyCordon => {
                if let Some(node) = &mut sight.node {
                    node.cordon_is_ours = true;
                }
            }
            Self::OutstaysWindow => {
                if let Some((policy, ..)) = &mut sight.policy {
                    policy.spec.maintenance.windows.clear();
                }
            }
            Self::TakesAnyAnswer => {
                let operation = sight
                    .agent
                    .as_mut()
                    .and_then(|agent| agent.operation.as_mut());
                if let Some(operation) = operation {
                    operation.id = sight.maintenance.operation_id;
                }
            }
            Self::OverlooksBeginning => {
                let answer = sight
                    .agent
                    .as_mut()
                    .and_then(|agent| agent.operation.as_mut());
                if let Some(answer) = answer.filter(|it| it.stage == AgentStage::Destroying) {
                    answer.stage = AgentStage::Ready;
                }
            }
            Self::TellsThePluginAtOnce => {
                for entry in sight.configs.values_mut() {
                    entry.since = Some(after(-AHEAD));
                }
            }
            _ => {}
        }
    }

    /// What of NVIDIA's is not seen.
    fn blind_to_nvidia(self, sight: &mut Sight) {
        let status = &sight.maintenance;
        let is_restored = status.outcome.as_ref().map(|it| it.result);
        let forgets = match self {
            Self::ForgetsPausedAfterRollback => is_restored == Some(OperationResult::RolledBack),
            Self::ForgetsPausedWhenGivenUp => status.phase == Phase::Releasing,
            Self::ForgetsPausedInQuarantine => status.phase == Phase::Quarantined,
            _ => false,
        };
        if let (Self::TakesUnasked, Some((policy, ..))) = (self, &mut sight.policy) {
            policy.spec.take_over = true;
        }
        let Some(node) = &mut sight.node else { return };
        let neighbours = &mut node.neighbours;
        if forgets {
            neighbours.clients.paused.clear();
        }
        match self {
            Self::PausesNobody => {
                neighbours.clients.running.clear();
                sight.pods.retain(|pod| pod.client_of.is_empty());
            }
            Self::IgnoresMigManager => {
                neighbours.mig_manager = MigManager::Away;
            }
            Self::IgnoresUpgrade => neighbours.driver_upgrade = None,
            _ => {}
        }
    }

    /// What is written down wrong.
    fn misreport(self, sight: &Sight, status: &mut MaintenanceStatus) {
        match self {
            Self::HidesQuarantine => conditions::remove(&mut status.conditions, "Quarantined"),
            Self::FollowsEditedRules => {
                if let (Some(snapshot), Some((policy, ..))) = (&mut status.snapshot, &sight.policy)
                {
                    snapshot.generation = policy.metadata.generation.unwrap_or_default();
                }
            }
            _ => {}
        }
    }

    /// What is done wrong.
    fn spoil(self, sight: &Sight, effect: Effect) -> Vec<Effect> {
        let is_settled = sight.maintenance.snapshot.is_none();
        match (self, effect) {
            (Self::AlwaysUncordons, Effect::Uncordon { labels, .. }) => {
                vec![Effect::Uncordon {
                    schedulable: true,
                    labels,
                }]
            }
            (
                Self::DropsMarkerFirst,
                Effect::Uncordon {
                    schedulable,
                    labels,
                },
            ) => {
                let marker = Effect::Uncordon {
                    schedulable: false,
                    labels: labels.clone(),
                };
                vec![
                    marker,
                    Effect::Uncordon {
                        schedulable,
                        labels,
                    },
                ]
            }
            (Self::ForgetsOldMarker, Effect::Cordon { operation, .. }) => {
                let pre_cordoned = sight.node.as_ref().is_some_and(|node| node.unschedulable);
                vec![Effect::Cordon {
                    operation,
                    pre_cordoned,
                }]
            }
            (Self::NeverSweeps, Effect::Uncordon { .. }) if is_settled => Vec::new(),
            (Self::DeletesPastBudgets, Effect::Evict { pod, grace }) => {
                vec![Effect::Delete { pod, grace }]
            }
            (Self::ResumesEverybody, Effect::Label(mut labels))
                if labels.get(CLIENTS[0]) == Some(&Some("true".to_owned())) =>
            {
                labels.extend(CLIENTS.map(|key| (key.to_owned(), Some("true".to_owned()))));
                vec![Effect::Label(labels)]
            }
            (
                Self::NeverGivesBack | Self::RemembersOwnWord,
                Effect::Remember {
                    labels,
                    annotations,
                },
            ) => self.misremember(labels, annotations),
            (Self::GoesAheadAtOnce, Effect::Ask(mut spec)) => {
                if let Some(operation) = &mut spec.operation
                    && operation.stage == OperationStage::Prepare
                {
                    operation.stage = OperationStage::Proceed;
                }
                vec![Effect::Ask(spec)]
            }
            (_, effect) => vec![effect],
        }
    }

    fn misremember(self, labels: Written, mut annotations: Written) -> Vec<Effect> {
        let memory = annotations.get_mut(ANNOTATION_MIG_MANAGER);
        match memory {
            Some(None) if self == Self::NeverGivesBack => return Vec::new(),
            Some(Some(before)) if self == Self::RemembersOwnWord => "false".clone_into(before),
            Some(_) | None => {}
        }
        vec![Effect::Remember {
            labels,
            annotations,
        }]
    }

    /// The slots of a policy, with this mistake.
    pub fn slots(self, policy: &GpuSharingPolicy, nodes: &[NodeSummary]) -> Vec<Slot> {
        let mut policy = policy.clone();
        if self == Self::AdmitsOneTooMany {
            policy.spec.maintenance.max_unavailable = NodeCount::Number(2);
        }
        admission::report(&policy, nodes, now()).status.slots
    }
}

/// Pauses the clients that run, while pods are still leaving.
fn pause(sight: &Sight) -> Option<Effect> {
    let clients = &sight.node.as_ref()?.neighbours.clients;
    let is_early = sight.maintenance.phase == Phase::Draining && !clients.running.is_empty();
    let paused = |key: &String| (key.clone(), Some(GPU_CLIENT_PAUSED.to_owned()));
    is_early.then(|| Effect::Label(clients.running.iter().map(paused).collect()))
}
