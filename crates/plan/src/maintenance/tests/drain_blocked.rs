//! A drain that does not get on says which pod, what keeps it, and whether waiting helps.

use crds::gpu_node::{OperationResult, Phase};
use jiff::SignedDuration;

use super::world::World;
use crate::drain::BudgetView;
use crate::pod::Tier;

/// The budget that the world's API server speaks of, over all of its three pods.
fn budget(wanted: i32) -> BudgetView {
    let selector = serde_json::json!({"matchLabels": {"app": "web"}});
    BudgetView {
        namespace: "default".to_owned(),
        name: "web".to_owned(),
        selector: Some(serde_json::from_value(selector).unwrap()),
        is_counted: true,
        allowed: 0,
        expected: 3,
        wanted,
    }
}

fn protected(wanted: i32) -> World {
    let mut world = World::changing();
    for pod in &mut world.pods {
        pod.labels.insert("app".to_owned(), "web".to_owned());
    }
    world.budget_blocks = true;
    world.budgets = vec![budget(wanted)];
    world
}

#[test]
fn pod_budget_and_why_are_said_within_ten_seconds_of_the_first_refusal() {
    let mut world = protected(2);
    while world.evictions.values().all(|memory| memory.refused == 0) {
        world.round();
    }
    let refused = world.now;
    while world.says("DrainBlocked").is_none() {
        world.round();
    }
    let late = world.now.duration_since(refused);
    assert!(late <= SignedDuration::from_secs(10), "{late:?}");
    let (_, message) = world.says("DrainBlocked").unwrap();
    for word in [
        "default/pod-2: ",
        "default/pod-3: ",
        "The disruption budget web needs 3 healthy pods",
    ] {
        assert!(message.contains(word), "{word} in {message}");
    }
    assert!(world.events.contains(&"DrainBlocked"));
}

#[test]
fn a_budget_that_can_never_be_met_is_said_to_be_so_at_once_and_once() {
    let mut world = protected(3).until(Phase::Draining);
    while world.says("DrainBlocked").is_none() {
        world.round();
    }
    let world = world.rounds(60);
    let (reason, message) = world.says("DrainBlocked").unwrap();
    assert_eq!(reason, "HopelessDisruptionBudget");
    for word in [
        "default/pod-2: ",
        "The disruption budget web needs 3 healthy pods and has 3 currently. ",
        "budget default/web counts 3 pods and wants 3 of them healthy",
        "Run more replicas, or give it another minAvailable or maxUnavailable",
    ] {
        assert!(message.contains(word), "{word} in {message}");
    }
    assert_eq!(told(&world, "DrainBlocked"), 1);
}

#[test]
fn a_block_that_turns_out_to_be_for_good_is_told_again() {
    let mut world = protected(2).until(Phase::Draining).rounds(10);
    assert_eq!(world.says("DrainBlocked").unwrap().0, "DisruptionBudget");
    world.budgets = vec![budget(3)];
    let mut world = world.rounds(10);
    assert_eq!(
        world.says("DrainBlocked").unwrap().0,
        "HopelessDisruptionBudget"
    );
    assert_eq!(told(&world, "DrainBlocked"), 2);
    // More replicas: it is an ordinary block again, which is no news.
    world.budgets = vec![BudgetView {
        expected: 4,
        ..budget(3)
    }];
    let world = world.rounds(10);
    assert_eq!(world.says("DrainBlocked").unwrap().0, "DisruptionBudget");
    assert_eq!(told(&world, "DrainBlocked"), 2);
}

#[test]
fn a_pod_that_does_not_end_is_named_a_minute_after_its_grace_and_never_skipped() {
    for (finalizers, said) in [
        (
            vec!["example.com/a", "example.com/b"],
            "finalizers example.com/a, example.com/b",
        ),
        (vec![], "no finalizer"),
    ] {
        let mut world = World::changing();
        world.pods[1].finalizers = finalizers.iter().map(|it| (*it).to_owned()).collect();
        world.pods_never_end = true;
        let mut world = world.until(Phase::Draining).rounds(3);
        // Its device is free already, by the kubelet: the pod is there, and that is what counts.
        world.devices.remove("pod-3");
        world.pods.retain(|pod| pod.reference.uid != "pod-3");
        let asked = world.pods[1].leaving_since.unwrap();
        let limit = asked + SignedDuration::from_secs(30 + 60);
        while world.now < limit {
            world.round();
            assert_eq!(world.says("DrainBlocked"), None, "{}", world.now);
        }
        let mut world = world.rounds(2);
        let (reason, message) = world.says("DrainBlocked").unwrap();
        assert_eq!(reason, "StuckTerminating");
        assert!(
            message.starts_with("default/pod-2: it was to be gone at "),
            "{message}"
        );
        assert!(message.contains(said), "{message}");
        assert_eq!(world.maintenance.phase, Phase::Draining);
        assert_eq!(told(&world, "DrainBlocked"), 1);

        world.pods_never_end = false;
        let world = world.until(Phase::InSync);
        assert_eq!(world.latest().unwrap().0, OperationResult::Succeeded);
    }
}

#[test]
fn system_critical_pods_leave_when_the_others_are_gone_and_not_when_they_have_been_asked_to() {
    let mut world = World::changing();
    world.pods[1].tier = Tier::SystemCritical;
    world.pods_never_end = true;
    let mut world = world.until(Phase::Draining).rounds(60);
    assert_eq!(world.evicted, ["pod-3".to_owned()].into());
    let sentence = world.maintenance.waiting_for.clone().unwrap();
    let last = "system-critical pods are asked to leave when the others are gone: default/pod-2";
    assert!(sentence.ends_with(last), "{sentence}");
    let drain = world.maintenance.drain.clone().unwrap();
    let names = |pods: &[crds::gpu_node::PodReference]| -> Vec<String> {
        pods.iter().map(|pod| pod.name.clone()).collect()
    };
    assert_eq!(names(&drain.evicted), ["pod-3"]);
    assert_eq!(names(&drain.remaining), ["pod-2", "pod-3"]);

    world.pods_never_end = false;
    let world = world.until(Phase::Repartitioning);
    assert_eq!(world.evicted.len(), 2);
}

#[test]
fn a_drain_that_ends_before_the_turn_of_system_critical_pods_does_not_call_them_stuck() {
    let mut world = World::changing();
    world.pods[1].tier = Tier::SystemCritical;
    world.pods_never_end = true;
    let world = world.until(Phase::Releasing);
    assert_eq!(world.evicted, ["pod-3".to_owned()].into());
    let why = world.maintenance.outcome.unwrap().message;
    let said =
        "default/pod-2 is system-critical and was not asked to leave before the others were gone";
    assert!(why.contains(said), "{why}");
    assert!(!why.contains("default/pod-2 is still there"), "{why}");
}

fn told(world: &World, reason: &str) -> usize {
    world.events.iter().filter(|it| **it == reason).count()
}
