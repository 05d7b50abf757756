//! What must hold of every single step.

use std::collections::BTreeMap;

use crds::gpu_node::{AgentStage, MaintenanceStatus, OperationStage, Phase};
use crds::names::{GPU_CLIENT_PAUSED, LABEL_PLUGIN_CONFIG};
use jiff::Timestamp;

use super::{Snapshot, World};
use crate::change;
use crate::maintenance::{Effect, Limits, Step};
use crate::neighbours::MigManager;
use crate::pod::PodView;
use crate::windows::WindowState;

/// Checks a step that is taken now against what it saw.
pub(super) fn check(seen: &Snapshot, step: &Step, now: Timestamp, checks_scope: bool) {
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
            Effect::Label(labels) => {
                check_pause(seen, labels);
                check_plugin(seen, step, now, labels);
            }
            Effect::Restart(_) => check_restart(seen, step, now),
            Effect::Remember { .. } | Effect::PublishConfig { .. } => {}
        }
    }
    check_clients(seen, step);
    check_status(seen, step);
}

fn is_repartitioning(status: &MaintenanceStatus) -> bool {
    let phases = [Phase::Repartitioning, Phase::RollingBack];
    status.snapshot.is_some() && phases.contains(&status.phase)
}

/// After a repartition, or once for what the plugin was told and has not taken.
fn check_restart(seen: &Snapshot, step: &Step, now: Timestamp) {
    let chosen = seen.maintenance.plugin_config.as_ref();
    let is_first = chosen.is_some_and(|chosen| chosen.restarted_at.is_none());
    let deadline = seen.maintenance.deadline.as_ref();
    let is_late = deadline.is_some_and(|deadline| deadline.0 <= now);
    let is_stuck = step.status.phase == Phase::Validating && is_first && is_late;
    assert!(
        step.status.phase == Phase::Uncordoning || seen.may_restart_plugin && is_stuck,
        "made anew too early"
    );
}

/// The plugin is never told of a configuration that the kubelet may not have brought to it yet.
fn check_plugin(
    seen: &Snapshot,
    step: &Step,
    now: Timestamp,
    labels: &BTreeMap<String, Option<String>>,
) {
    let Some(Some(key)) = labels.get(LABEL_PLUGIN_CONFIG) else {
        return;
    };
    let publishes =
        |effect: &Effect| matches!(effect, Effect::PublishConfig { key: it, .. } if it == key);
    let is_new = step.effects.iter().any(publishes) || !seen.configs.contains_key(key);
    assert!(!is_new, "told of {key}, which is not there");
    let age = now.duration_since(seen.published[key]);
    let delay = Limits::default().config_delay;
    assert!(
        age >= delay,
        "told of {key}, which has been there for {age:?}"
    );
}

/// GPU clients are paused on a cordoned node, right before the agent goes ahead.
fn check_pause(seen: &Snapshot, labels: &BTreeMap<String, Option<String>>) {
    let mut values = labels.values().flatten();
    if values.any(|value| value == GPU_CLIENT_PAUSED) {
        let node = seen.node.as_ref().expect("a node that exists");
        assert!(is_repartitioning(&seen.maintenance), "paused too early");
        assert!(node.unschedulable, "paused on a node that takes pods");
    }
}

/// A client that is paused while nothing is repartitioned runs again after this very look.
fn check_clients(seen: &Snapshot, step: &Step) {
    let Some(node) = &seen.node else { return };
    let paused = &node.neighbours.clients.paused;
    let is_new = seen.maintenance.node_uid.as_ref() != Some(&node.uid);
    if paused.is_empty() || is_repartitioning(&seen.maintenance) || is_new {
        return;
    }
    let resumed = paused
        .iter()
        .map(|key| (key.clone(), Some("true".to_owned())));
    let resumed = Effect::Label(resumed.collect());
    assert_eq!(step.effects, [resumed], "{:?}", seen.maintenance.phase);
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

/// Only for an operation that its agent has agreed to, or because it says that its MPS daemon was given up.
fn check_cordon(seen: &Snapshot, operation: i64) {
    if is_given_up(seen) {
        return;
    }
    let agent = seen
        .agent
        .as_ref()
        .and_then(|agent| agent.operation.as_ref());
    let agent = agent.expect("an agent that has answered");
    let neighbours = seen.node.as_ref().map(|node| &node.neighbours);
    assert!(
        neighbours.is_none_or(|them| !matches!(them.mig_manager, MigManager::Acts { .. })),
        "cordoned while MIG Manager has the node"
    );
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

fn is_given_up(seen: &Snapshot) -> bool {
    let daemon = seen.agent.as_ref().and_then(|agent| agent.mps.as_ref());
    let now = daemon.and_then(|daemon| daemon.given_up.as_ref());
    let heard = seen.maintenance.mps_heard.as_ref();
    now.is_some() && now != heard.and_then(|heard| heard.given_up.as_ref())
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
        let target = spec.target.clone().unwrap_or_default();
        let gpus = seen.agent.as_ref().map_or(&[][..], |agent| &agent.gpus);
        let plans = change::between(gpus, &target).gpus;
        let switches = plans.iter().any(|gpu| gpu.from.enabled != gpu.to.enabled);
        assert!(
            !switches || node.neighbours.clients.running.is_empty(),
            "go-ahead while GPU clients keep the GPUs open"
        );
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
