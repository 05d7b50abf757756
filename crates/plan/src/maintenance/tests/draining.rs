//! Pods on the affected devices leave, and nobody else.

use crds::gpu_node::{OperationResult, OperationStage, Phase};
use crds::policy::{CompletionWait, DrainScope, OnWindowClose};

use super::world::World;
use crate::pod::Controller;

#[test]
fn pods_on_slices_that_go_are_evicted_once_and_the_others_never() {
    let world = World::changing().until(Phase::Repartitioning);
    assert_eq!(
        world.evicted,
        ["pod-2".to_owned(), "pod-3".to_owned()].into()
    );
    let drain = world.maintenance.drain.unwrap();
    let evicted: Vec<_> = drain.evicted.iter().map(|pod| pod.uid.as_str()).collect();
    assert_eq!(evicted, ["pod-2", "pod-3"]);
    assert!(drain.remaining.is_empty() && drain.blocked.is_empty());
}

#[test]
fn a_replacement_of_the_same_name_is_another_pod() {
    let mut world = World::changing().until(Phase::Draining);
    while world.pods.iter().any(|pod| pod.reference.uid == "pod-2") {
        world.round();
    }
    // A StatefulSet makes it anew, here: it was bound just before the cordon.
    world.bind("MIG-1");
    let late = world.pods.last_mut().unwrap();
    late.reference.name = "pod-2".to_owned();
    late.controller = Controller::Other("StatefulSet".to_owned());
    let uid = late.reference.uid.clone();
    let world = world.until(Phase::Repartitioning);
    let drain = world.maintenance.drain.as_ref().unwrap();
    let evicted: Vec<_> = drain.evicted.iter().map(|pod| pod.uid.as_str()).collect();
    assert_eq!(evicted, ["pod-2", uid.as_str(), "pod-3"]);
}

#[test]
fn a_pod_whose_namespace_goes_is_waited_for_and_nobody_is_blamed() {
    let mut world = World::changing();
    world.namespace_ends = true;
    let mut world = world.until(Phase::Draining).rounds(60);
    assert!(world.evicted.is_empty());
    assert_eq!(world.says("DrainBlocked"), None);
    let refused: Vec<_> = world
        .evictions
        .values()
        .map(|memory| memory.refused)
        .collect();
    assert!(
        refused.iter().all(|tries| (3..=5).contains(tries)),
        "{refused:?}"
    );
    for pod in &mut world.pods[1..] {
        pod.leaving_since = Some(world.now);
    }
    let world = world.until(Phase::InSync);
    assert_eq!(world.latest().unwrap().0, OperationResult::Succeeded);
}

#[test]
fn wider_scopes_take_more() {
    for (scope, left) in [
        (DrainScope::AffectedDevices, vec!["pod-1", "cpu"]),
        (DrainScope::GpuPods, vec!["cpu"]),
        (DrainScope::Node, vec![]),
    ] {
        let mut world = World::changing();
        let mut pod = world.pods[0].clone();
        pod.gpus.clear();
        pod.reference.uid = "cpu".to_owned();
        pod.reference.name = "cpu".to_owned();
        world.pods.push(pod);
        world.policy.maintenance.drain.scope = scope;
        world.checks_scope = scope == DrainScope::AffectedDevices;
        let world = world.until(Phase::Repartitioning);
        let pods: Vec<_> = world
            .pods
            .iter()
            .map(|pod| pod.reference.uid.as_str())
            .collect();
        assert_eq!(pods, left, "{scope:?}");
    }
}

#[test]
fn drained_is_quiet_for_five_seconds_and_not_before() {
    let mut world = World::changing().until(Phase::Draining);
    while !world.pods.iter().all(|pod| pod.reference.uid == "pod-1") {
        world.round();
    }
    let empty = world.now;
    let world = world.until(Phase::Repartitioning);
    let waited = world.now.duration_since(empty).as_secs();
    assert!((5..=8).contains(&waited), "{waited}");
}

#[test]
fn a_pod_that_was_bound_just_before_the_cordon_starts_the_quiet_period_anew() {
    let mut world = World::changing().until(Phase::Draining).rounds(4);
    assert!(
        world
            .maintenance
            .drain
            .as_ref()
            .unwrap()
            .quiet_since
            .is_some()
    );
    world.bind("MIG-1");
    let late = world.pods.last().unwrap().reference.uid.clone();
    let world = world.rounds(2);
    assert_eq!(world.maintenance.phase, Phase::Draining);
    let world = world.until(Phase::Repartitioning);
    assert!(world.evicted.contains(&late));
}

#[test]
fn a_device_that_the_kubelet_still_lists_is_waited_for_when_its_pod_is_gone() {
    let mut world = World::changing().until(Phase::Draining);
    world.devices.insert("ghost".to_owned(), "MIG-1".to_owned());
    let mut world = world.rounds(60);
    assert_eq!(world.maintenance.phase, Phase::Draining);
    assert_eq!(world.says("DrainBlocked"), None);
    world.devices.remove("ghost");
    let world = world.until(Phase::InSync);
    assert_eq!(world.latest().unwrap().1, "Succeeded");

    let mut world = World::changing().until(Phase::Draining);
    world.devices.insert("ghost".to_owned(), "MIG-1".to_owned());
    let world = world.until(Phase::Releasing).until(Phase::Pending);
    let why = &world.maintenance.history[0].message;
    assert!(why.contains("default/ghost is still there"), "{why}");
}

#[test]
fn a_pod_whose_device_the_kubelet_has_not_named_is_waited_for_before_it_is_evicted() {
    let mut world = World::changing().until(Phase::Draining);
    world.pods.remove(0);
    world.bind("nowhere");
    world
        .devices
        .retain(|pod, _| pod != "pod-1" && pod != "pod-4");
    let mut world = world.rounds(10);
    assert!(!world.evicted.contains("pod-4"));
    assert_eq!(world.maintenance.phase, Phase::Draining);
    world.devices.insert("pod-4".to_owned(), "MIG-0".to_owned());
    let world = world.until(Phase::Repartitioning);
    assert!(
        !world.evicted.contains("pod-4"),
        "it got a slice that stays"
    );

    let mut world = World::changing().until(Phase::Draining);
    world.bind("nowhere");
    world.devices.remove("pod-4");
    let world = world.rounds(20);
    assert!(
        world.evicted.contains("pod-4"),
        "nobody ever named its device"
    );
}

#[test]
fn a_budget_is_respected_and_named() {
    let mut world = World::changing();
    world.budget_blocks = true;
    let mut world = world.until(Phase::Draining).rounds(30);
    assert!(world.evicted.is_empty());
    let (reason, message) = world.says("DrainBlocked").unwrap();
    assert_eq!(reason, "DisruptionBudget");
    assert!(
        message.contains("The disruption budget web needs 3 healthy pods"),
        "{message}"
    );
    let told = world
        .events
        .iter()
        .filter(|event| **event == "DrainBlocked");
    assert_eq!(told.count(), 1);
    let report = world.maintenance.drain.clone().unwrap();
    assert_eq!(report.blocked.len(), 2);
    let quiet = world.gpu_node_version;
    let refused: u32 = world.evictions.values().map(|memory| memory.refused).sum();
    assert!((4..=10).contains(&refused), "{refused} attempts in 30 s");
    world = world.rounds(2);
    assert!(
        world.gpu_node_version <= quiet + 2,
        "status is written only for news"
    );
    world.budget_blocks = false;
    let world = world.until(Phase::Repartitioning);
    assert_eq!(world.says("DrainBlocked"), None);
}

#[test]
fn a_late_pod_that_may_not_be_evicted_ends_it_before_anybody_was_sent_away() {
    let mut world = World::changing().until(Phase::Cordoning);
    world.pods[1].controller = Controller::DaemonSet;
    let world = world.until(Phase::Releasing).until(Phase::Pending);
    assert!(world.evicted.is_empty());
    assert_eq!(
        world.latest(),
        Some((OperationResult::Released, "PreflightBlocked"))
    );
    assert!(!world.the_node().unschedulable);
}

#[test]
fn an_uncordon_by_somebody_else_ends_it_and_is_not_fought() {
    for phase in [Phase::Draining, Phase::WaitingJobs, Phase::Repartitioning] {
        let mut world = World::changing();
        waits_for_jobs(&mut world, phase == Phase::WaitingJobs);
        let mut world = world.until(phase);
        if phase == Phase::Repartitioning {
            world.agent_is_up = false;
        }
        world.admin_uncordons();
        let world = world.until(Phase::Releasing).until(Phase::Pending);
        assert_eq!(
            world.latest(),
            Some((OperationResult::Failed, "ExternalUncordon")),
            "{phase:?}"
        );
        assert!(world.events.contains(&"ExternalUncordon"), "{phase:?}");
        assert!(!world.the_node().unschedulable, "{phase:?}");
        assert_eq!(world.the_node().operation, None, "{phase:?}");
    }
}

#[test]
fn a_window_that_closes_ends_it_or_not_as_the_policy_says() {
    for (rule, goes_on) in [(OnWindowClose::Abort, false), (OnWindowClose::Finish, true)] {
        for phase in [Phase::Preparing, Phase::Cordoning, Phase::Draining] {
            let mut world = World::changing();
            world.policy.maintenance.on_window_close = rule;
            let mut world = world.until(phase);
            world.set_window(false);
            if goes_on {
                let world = world.until(Phase::InSync);
                assert_eq!(
                    world.latest(),
                    Some((OperationResult::Succeeded, "Succeeded"))
                );
            } else {
                let world = world.until(Phase::Releasing).until(Phase::Pending);
                assert_eq!(
                    world.latest(),
                    Some((OperationResult::Released, "WindowClosed"))
                );
                assert_eq!(world.says("MaintenancePending").unwrap().0, "WindowClosed");
                assert!(!world.the_node().unschedulable);
            }
        }
    }
}

#[test]
fn an_agent_that_falls_silent_ends_it() {
    let mut world = World::changing();
    world.budget_blocks = true;
    let mut world = world.until(Phase::Draining);
    world.agent_is_up = false;
    let world = world.rounds(25);
    assert_eq!(world.maintenance.phase, Phase::Draining);
    let world = world.until(Phase::Releasing).until(Phase::Pending);
    assert_eq!(world.latest(), Some((OperationResult::Failed, "AgentLost")));
    assert_eq!(world.spec.operation, None);
}

fn waits_for_jobs(world: &mut World, waits: bool) {
    world.pods[1]
        .labels
        .insert("kind".to_owned(), "batch".to_owned());
    let selector = serde_json::json!({"matchLabels": {"kind": "batch"}});
    world.policy.maintenance.drain.wait_for_completion = waits.then(|| CompletionWait {
        pod_selector: serde_json::from_value(selector).unwrap(),
        timeout: "1h".into(),
    });
}

#[test]
fn jobs_are_waited_for_before_anybody_is_evicted() {
    let mut world = World::changing();
    waits_for_jobs(&mut world, true);
    let mut world = world.until(Phase::WaitingJobs).rounds(600);
    assert!(world.evicted.is_empty());
    assert!(
        world
            .maintenance
            .waiting_for
            .as_ref()
            .unwrap()
            .contains("default/pod-2")
    );
    assert!(world.the_node().unschedulable);
    world.pods[1].finished = true;
    world.devices.remove("pod-2");
    let world = world.until(Phase::Repartitioning);
    assert_eq!(world.evicted, ["pod-3".to_owned()].into());
}

#[test]
fn jobs_that_do_not_finish_in_time_are_evicted_like_the_others() {
    let mut world = World::changing();
    waits_for_jobs(&mut world, true);
    let mut world = world.until(Phase::WaitingJobs);
    world.pass(3600);
    world.agent_acts();
    let world = world.until(Phase::Repartitioning);
    assert_eq!(world.evicted.len(), 2);
}

#[test]
fn nobody_waits_for_pods_to_finish_that_never_do() {
    let everybody = serde_json::json!({"podSelector": {}, "timeout": "1h"});
    for controller in [Controller::DaemonSet, Controller::Kubelet] {
        let mut world = World::changing();
        world.policy.maintenance.drain.wait_for_completion =
            serde_json::from_value(everybody.clone()).ok();
        // It is on a slice that stays.
        world.pods[0].controller = controller;
        let mut world = world.until(Phase::WaitingJobs);
        let waits = world.maintenance.waiting_for.clone().unwrap();
        assert!(waits.contains("default/pod-2"), "{waits}");
        assert!(!waits.contains("default/pod-1"), "{waits}");
        for pod in &mut world.pods[1..] {
            pod.finished = true;
        }
        world.devices.retain(|pod, _| pod == "pod-1");
        let world = world.until(Phase::Repartitioning);
        assert!(world.evicted.is_empty(), "{:?}", world.evicted);
    }
}

#[test]
fn the_go_ahead_is_given_only_after_the_drain() {
    let mut world = World::changing();
    while world.maintenance.phase != Phase::Repartitioning {
        world.round();
        let stage = world
            .spec
            .operation
            .as_ref()
            .map(|operation| operation.stage);
        assert_ne!(stage, Some(OperationStage::Proceed));
    }
    let world = world.rounds(1);
    let stage = world.spec.operation.map(|operation| operation.stage);
    assert_eq!(stage, Some(OperationStage::Proceed));
}
