//! What must hold of every single step.

use crds::gpu_node::{AgentStage, OperationStage, Phase};

use super::{Snapshot, World};
use crate::change;
use crate::maintenance::{Effect, Step};
use crate::pod::PodView;
use crate::windows::WindowState;

/// Checks a step against what it saw.
pub(super) fn check(seen: &Snapshot, step: &Step, checks_scope: bool) {
    for effect in &step.effects {
        match effect {
            Effect::Cordon { operation, .. } => check_cordon(seen, *operation),
            Effect::Uncordon { schedulable, .. } => check_uncordon(seen, *schedulable),
            Effect::Evict { pod, .. } => check_eviction(seen, &pod.uid, checks_scope),
            Effect::Delete { pod, .. } => {
                check_eviction(seen, &pod.uid, checks_scope);
                let rule = seen.policy.maintenance.drain.on_timeout;
                assert_eq!(
                    rule,
                    crds::policy::OnDrainTimeout::Force,
                    "deleted past a budget"
                );
            }
            Effect::Ask(spec) => check_ask(seen, spec),
            Effect::Label(_) | Effect::PublishConfig { .. } => {}
        }
    }
    check_status(seen, step);
}

impl World {
    /// What must hold of the world at every moment.
    pub(in super::super) fn check_world(&self) {
        if let Some(node) = &self.node {
            let is_kept = !self.admin_keeps_it_cordoned || node.unschedulable;
            assert!(is_kept, "a person's cordon was undone");
        }
    }
}

/// Only for an operation that its agent has agreed to.
fn check_cordon(seen: &Snapshot, operation: i64) {
    let agent = seen
        .agent
        .as_ref()
        .and_then(|agent| agent.operation.as_ref());
    let agent = agent.expect("an agent that has answered");
    assert_eq!(
        agent.id, operation,
        "cordoned for an operation that the agent does not know"
    );
    assert_ne!(
        agent.stage,
        AgentStage::Refused,
        "cordoned although the agent refused"
    );
    let has_begun = agent.stage != AgentStage::Ready;
    assert!(
        has_begun || seen.maintenance.phase == Phase::Cordoning,
        "cordoned outside Cordoning"
    );
}

fn check_uncordon(seen: &Snapshot, schedulable: bool) {
    let node = seen.node.as_ref().expect("a node that exists");
    assert!(node.operation.is_some(), "uncordoned without a marker");
    if schedulable {
        assert!(
            !node.pre_cordoned && node.cordon_is_ours,
            "uncordoned what is not ours"
        );
    }
    assert!(!node.hold, "uncordoned although a person holds the node");
    let agent = seen
        .agent
        .as_ref()
        .and_then(|agent| agent.operation.as_ref());
    let asked = seen.spec.operation.as_ref();
    let is_asked = asked.is_some_and(|asked| agent.is_some_and(|agent| agent.id == asked.id));
    if let Some(agent) = agent.filter(|_| is_asked) {
        let is_busy = matches!(agent.stage, AgentStage::Destroying | AgentStage::Creating);
        assert!(!is_busy, "uncordoned while the agent changes the GPUs");
        let may_begin = asked.is_some_and(|asked| asked.stage == OperationStage::Proceed)
            && agent.stage == AgentStage::Ready;
        assert!(!may_begin, "uncordoned while the agent may still begin");
    }
}

fn check_eviction(seen: &Snapshot, uid: &str, checks_scope: bool) {
    assert_eq!(
        seen.maintenance.phase,
        Phase::Draining,
        "evicted outside Draining"
    );
    let node = seen.node.as_ref().expect("a node that exists");
    assert!(node.unschedulable, "evicted from a node that takes pods");
    assert_eq!(
        node.operation,
        Some(seen.maintenance.operation_id),
        "evicted without our mark"
    );
    let pod = seen.pods.iter().find(|pod| pod.reference.uid == uid);
    let pod = pod.expect("a pod that was seen on this node");
    assert!(pod.leaving_since.is_none(), "evicted a pod that is leaving");
    check_tier(seen, pod);
    assert!(
        !checks_scope
            || holds_affected(seen, &pod.reference.name)
            || !is_listed(seen, &pod.reference.name),
        "evicted a pod that is not in the way"
    );
}

/// While an ordinary pod is in the way, nobody else is asked to leave.
fn check_tier(seen: &Snapshot, pod: &PodView) {
    let others = seen.pods.iter().filter(|it| it.tier < pod.tier);
    let mut others = others.filter(|it| holds_affected(seen, &it.reference.name));
    assert_eq!(
        others.next(),
        None,
        "a system-critical pod did not leave last"
    );
}

fn check_ask(seen: &Snapshot, spec: &crds::GpuNodeSpec) {
    let is_go_ahead = spec
        .operation
        .as_ref()
        .is_some_and(|operation| operation.stage == OperationStage::Proceed);
    let was_given = seen
        .spec
        .operation
        .as_ref()
        .is_some_and(|operation| operation.stage == OperationStage::Proceed);
    if is_go_ahead && !was_given {
        assert_eq!(
            seen.maintenance.phase,
            Phase::Repartitioning,
            "go-ahead outside Repartitioning"
        );
        let node = seen.node.as_ref().expect("a node that exists");
        assert!(
            node.unschedulable && node.operation == Some(seen.maintenance.operation_id),
            "go-ahead without the cordon"
        );
        let held = seen
            .pods
            .iter()
            .any(|pod| holds_affected(seen, &pod.reference.name));
        assert!(!held, "go-ahead while devices are held");
    }
}

fn check_status(seen: &Snapshot, step: &Step) {
    let status = &step.status;
    if *status == seen.maintenance {
        return;
    }
    let hold = seen.node.as_ref().is_some_and(|node| node.hold);
    match status.phase {
        Phase::Unmanaged | Phase::InSync | Phase::Pending | Phase::Quarantined => {}
        Phase::Uncordoning | Phase::Releasing if hold => {}
        Phase::Preparing
        | Phase::Cordoning
        | Phase::WaitingJobs
        | Phase::Draining
        | Phase::Repartitioning
        | Phase::RollingBack
        | Phase::Validating
        | Phase::Uncordoning
        | Phase::Releasing => assert!(
            status.deadline.is_some(),
            "{:?} without a deadline",
            status.phase
        ),
    }
    let begins = status.phase == Phase::Preparing && seen.maintenance.phase != Phase::Preparing;
    let is_closed = matches!(seen.window, WindowState::Closed { .. });
    assert!(!(begins && is_closed), "began outside the window");
    let begun = seen
        .agent
        .as_ref()
        .and_then(|agent| agent.operation.as_ref())
        .is_some_and(|operation| {
            operation.id == seen.maintenance.operation_id
                && matches!(
                    operation.stage,
                    AgentStage::Destroying | AgentStage::Creating
                )
        });
    let gives_up = status.phase == Phase::Releasing && begun;
    assert!(!gives_up, "gave up after the point of no return");
    assert!(status.history.len() <= 5);
}

fn is_listed(seen: &Snapshot, pod: &str) -> bool {
    let gpus = seen.agent.iter().flat_map(|agent| &agent.gpus);
    gpus.flat_map(|gpu| &gpu.holders)
        .any(|holder| holder.pod == pod)
}

fn holds_affected(seen: &Snapshot, pod: &str) -> bool {
    let Some(agent) = &seen.agent else {
        return false;
    };
    let target = seen.spec.target.clone().unwrap_or_default();
    let affected = change::between(&agent.gpus, &target).affected;
    let mut holders = agent.gpus.iter().flat_map(|gpu| &gpu.holders);
    holders.any(|holder| holder.pod == pod && affected.contains(&holder.device))
}
