//! What the product would do if a line of it were wrong: the search must find each of them out.

use crds::gpu_node::{AgentStage, MaintenanceStatus, OperationStage};
use crds::policy::Slot;
use crds::{GpuSharingPolicy, NodeCount};
use plan::admission::{self, NodeSummary};
use plan::conditions;
use plan::maintenance::{Effect, Step};

use crate::forget::now;
use crate::sight::Sight;

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
        step
    }

    /// What is seen wrong.
    fn blind(self, sight: &mut Sight) {
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

    /// The slots of a policy, with this mistake.
    pub fn slots(self, policy: &GpuSharingPolicy, nodes: &[NodeSummary]) -> Vec<Slot> {
        let mut policy = policy.clone();
        if self == Self::AdmitsOneTooMany {
            policy.spec.maintenance.max_unavailable = NodeCount::Number(2);
        }
        admission::report(&policy, nodes, now()).status.slots
    }
}
