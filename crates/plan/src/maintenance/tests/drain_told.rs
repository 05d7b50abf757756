//! What the owners of pods hear, and how often.

use crds::gpu_node::Phase;
use crds::policy::OnDrainTimeout;

use super::world::World;
use crate::maintenance::EventKind;
use crate::pod::Protection;

/// Reason and message of what was told of a pod, in order.
fn told<'a>(world: &'a World, uid: &str) -> Vec<(&'static str, &'a str)> {
    let about = world.pod_events.iter().filter(|it| it.pod.uid == uid);
    about
        .map(|it| (it.event.reason.as_str(), it.event.message.as_str()))
        .collect()
}

#[test]
fn each_evicted_pod_is_told_of_once_and_nobody_else() {
    let world = World::changing()
        .until(Phase::Draining)
        .until(Phase::InSync);
    let operation = world.maintenance.operation_id;
    let said = format!("evicted for operation {operation} of node n1 by policy inference");
    for uid in ["pod-2", "pod-3"] {
        assert_eq!(told(&world, uid), [("Evicted", said.as_str())]);
    }
    assert_eq!(world.pod_events.len(), 2, "{:?}", world.pod_events);
}

#[test]
fn a_refused_eviction_is_not_told_to_the_owner() {
    let mut world = World::changing();
    world.budget_blocks = true;
    let world = world.until(Phase::Draining).rounds(60);
    assert_eq!(world.pod_events, []);
}

#[test]
fn an_eviction_that_was_taken_is_told_although_the_drain_is_given_up() {
    let mut world = World::changing();
    world.pods_never_end = true;
    let mut world = world.until(Phase::Draining);
    while world.evicted.is_empty() {
        world.round();
    }
    world.set_window(false);
    let world = world.until(Phase::Releasing);
    assert_eq!(told(&world, "pod-2").len(), 1);
    assert_eq!(world.maintenance.drain.as_ref().unwrap().evicted.len(), 2);
}

#[test]
fn a_pod_that_somebody_else_deletes_was_not_evicted_by_us() {
    let mut world = World::changing();
    world.budget_blocks = true;
    let mut world = world.until(Phase::Draining).rounds(5);
    for pod in &mut world.pods[1..] {
        pod.leaving_since = Some(world.now);
    }
    let world = world.until(Phase::Repartitioning);
    assert_eq!(world.pod_events, []);
}

#[test]
fn a_forced_deletion_is_told_as_what_it_is() {
    let mut world = World::changing();
    world.budget_blocks = true;
    world.policy.maintenance.drain.on_timeout = OnDrainTimeout::Force;
    let world = world.until(Phase::Draining).until(Phase::InSync);
    for uid in ["pod-2", "pod-3"] {
        let [(reason, message)] = told(&world, uid)[..] else {
            panic!("{:?}", world.pod_events)
        };
        assert_eq!(reason, "ForceDeleted");
        assert!(
            message.starts_with("deleted past its disruption budgets"),
            "{message}"
        );
    }
    let kinds = world.pod_events.iter().map(|it| it.event.kind);
    assert!(kinds.into_iter().all(|kind| kind == EventKind::Warning));
}

#[test]
fn a_promise_that_cannot_be_read_protects_nothing_and_is_told_once_before_the_pod_goes() {
    let mut world = World::changing();
    world.policy.paused = true;
    let mut world = world.until(Phase::Pending).rounds(5);
    assert_eq!(world.pod_events, []);
    world.pods[1].protection = Protection::parse("soon");
    // A pod that is not in the way is nobody's concern.
    world.pods[0].protection = Protection::parse("never mind");
    let mut world = world.rounds(5);
    let [("ProtectionUnreadable", message)] = told(&world, "pod-2")[..] else {
        panic!("{:?}", world.pod_events)
    };
    for word in [
        "gpusharing.dev/do-not-evict",
        "default/pod-2: \"soon\"",
        "such as 30m",
    ] {
        assert!(message.contains(word), "{word} in {message}");
    }
    assert_eq!(count(&world), 1);
    let plan = world.maintenance.plan.as_ref().unwrap();
    assert_eq!(plan.unprotected, ["default/pod-2: \"soon\""]);

    world.pods[1].protection = Protection::parse("later");
    let mut world = world.rounds(5);
    assert_eq!(count(&world), 2, "another text is news");
    world.policy.paused = false;
    let world = world.until(Phase::InSync);
    assert_eq!(count(&world), 2, "the operation adds nothing");
    assert!(world.evicted.contains("pod-2"));
}

#[test]
fn a_late_pod_with_a_promise_that_cannot_be_read_is_told_of_too() {
    let mut world = World::changing().until(Phase::Draining).rounds(4);
    world.bind("MIG-1");
    let late = world.pods.last_mut().unwrap();
    late.protection = Protection::parse("soon");
    let uid = late.reference.uid.clone();
    let world = world.until(Phase::InSync);
    let reasons: Vec<_> = told(&world, &uid)
        .iter()
        .map(|(reason, _)| *reason)
        .collect();
    assert_eq!(reasons, ["ProtectionUnreadable", "Evicted"]);
}

fn count(world: &World) -> usize {
    let told = |reason: &&&str| **reason == "ProtectionUnreadable";
    world.events.iter().filter(told).count()
}
