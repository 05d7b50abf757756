//! A drain that takes longer than the policy allows.

use crds::gpu_node::{OperationResult, Outcome, Phase};
use crds::policy::OnDrainTimeout;

use super::fixtures::BEFORE;
use super::world::{Want, World};
use crate::maintenance::Effect;

fn blocked(rule: OnDrainTimeout) -> World {
    let mut world = World::changing();
    world.budget_blocks = true;
    world.policy.maintenance.drain.on_timeout = rule;
    world.policy.maintenance.drain.grace_period_seconds = Some(0);
    let world = world.until(Phase::Draining);
    world.rounds(595)
}

#[test]
fn the_sentence_says_until_when_and_what_then() {
    for (rule, word) in [
        (OnDrainTimeout::Release, "given back"),
        (OnDrainTimeout::KeepCordoned, "stays cordoned"),
        (
            OnDrainTimeout::Force,
            "deleted past their disruption budgets",
        ),
    ] {
        let world = blocked(rule);
        let sentence = world.maintenance.waiting_for.unwrap();
        let until = world.maintenance.deadline.unwrap().0.to_string();
        assert!(
            sentence.contains(word) && sentence.contains(&until),
            "{sentence}"
        );
    }
}

/// Its GPUs were not to be trusted before: giving the drain up must not give the node back, and the sentence says so.
#[test]
fn a_drain_on_a_second_try_says_that_its_end_is_another_quarantine() {
    let mut world = blocked(OnDrainTimeout::Release);
    world.maintenance.outcome = Some(Outcome {
        result: OperationResult::Quarantined,
        reason: "Quarantined".to_owned(),
        message: "the GPUs were in an unknown state".to_owned(),
    });
    let world = world.rounds(1);
    assert_eq!(world.maintenance.phase, Phase::Draining);
    let sentence = world.maintenance.waiting_for.unwrap();
    assert!(sentence.contains("quarantined again"), "{sentence}");
    assert!(!sentence.contains("given back"), "{sentence}");
}

#[test]
fn release_gives_the_node_back_and_tries_again_later_and_later() {
    let world = blocked(OnDrainTimeout::Release)
        .until(Phase::Releasing)
        .until(Phase::Pending);
    assert_eq!(
        world.latest(),
        Some((OperationResult::Failed, "DrainTimedOut"))
    );
    assert!(
        world.maintenance.history[0]
            .message
            .contains("The disruption budget web")
    );
    assert!(world.events.contains(&"DrainTimedOut"));
    assert!(!world.the_node().unschedulable && world.evicted.is_empty());
    let first = world.maintenance.next_attempt.clone().unwrap().0;
    assert_eq!(first.duration_since(world.now).as_mins(), 4);
    let world = world
        .until_after(first)
        .until(Phase::Draining)
        .until(Phase::Pending);
    assert_eq!(world.maintenance.attempts, 2);
    let second = world.maintenance.next_attempt.clone().unwrap().0;
    assert_eq!(second.duration_since(world.now).as_mins(), 9);
}

#[test]
fn keep_cordoned_waits_for_a_person() {
    let kept = || {
        blocked(OnDrainTimeout::KeepCordoned)
            .until(Phase::Quarantined)
            .rounds(30)
    };
    let world = kept();
    assert!(world.the_node().unschedulable);
    assert_eq!(world.says("Quarantined").unwrap().0, "DrainTimedOut");
    assert!(world.slot.is_some());

    let mut uncordoned = kept();
    uncordoned.admin_uncordons();
    let uncordoned = uncordoned.until(Phase::Pending);
    assert_eq!(uncordoned.the_node().operation, None);

    let mut retried = kept();
    retried.change_node(|node| node.retry = Some("again".to_owned()));
    retried.budget_blocks = false;
    let retried = retried.until(Phase::InSync);
    assert!(!retried.the_node().unschedulable);
    assert_eq!(retried.maintenance.history.len(), 2);

    let mut unwanted = kept();
    unwanted.wants(Want::Layout(BEFORE));
    let unwanted = unwanted.until(Phase::InSync);
    assert!(!unwanted.the_node().unschedulable);
}

#[test]
fn force_deletes_what_a_budget_protects_and_never_with_grace_zero() {
    let mut world = blocked(OnDrainTimeout::Force);
    let mut deleted = Vec::new();
    while world.maintenance.phase == Phase::Draining {
        let step = world.look().step(world.now);
        deleted.extend(
            step.effects
                .into_iter()
                .filter(|effect| matches!(effect, Effect::Delete { .. })),
        );
        world.round();
    }
    assert_eq!(deleted.len(), 2);
    assert!(
        deleted
            .iter()
            .all(|effect| matches!(effect, Effect::Delete { grace: Some(1), .. }))
    );
    let world = world.until(Phase::InSync);
    assert!(world.events.contains(&"DrainTimedOut"));
}

#[test]
fn the_policys_grace_goes_to_every_pod_and_none_is_ever_zero() {
    for (policy, expected) in [
        (None, [("pod-2", Some(1)), ("pod-3", None)]),
        (Some(7), [("pod-2", Some(7)), ("pod-3", Some(7))]),
        (Some(0), [("pod-2", Some(1)), ("pod-3", Some(1))]),
    ] {
        let mut world = World::changing();
        world.policy.maintenance.drain.grace_period_seconds = policy;
        // Its own is 0, which would take it from the API server while it still runs.
        world.pods[1].own_grace = 0;
        let mut world = world.until(Phase::Draining);
        let step = world.look().step(world.now);
        let graces = step.effects.iter().filter_map(|effect| match effect {
            Effect::Evict { pod, grace } => Some((pod.uid.as_str(), *grace)),
            _ => None,
        });
        assert_eq!(graces.collect::<Vec<_>>(), expected, "{policy:?}");
    }
}

#[test]
fn force_without_the_right_is_said_from_the_beginning_and_ends_like_a_release() {
    let mut world = World::changing();
    world.may_force = false;
    world.budget_blocks = true;
    world.policy.maintenance.drain.on_timeout = OnDrainTimeout::Force;
    let world = world.until(Phase::Draining).rounds(300);
    let told = |world: &World| {
        let told = world.events.iter().filter(|it| **it == "ForceNotAllowed");
        told.count()
    };
    assert_eq!(told(&world), 1);
    let sentence = world.maintenance.waiting_for.clone().unwrap();
    for word in ["given back", "onTimeout: Force", "operator.allowForce=true"] {
        assert!(sentence.contains(word), "{word} in {sentence}");
    }
    let world = world.until(Phase::Releasing).until(Phase::Pending);
    assert_eq!(
        world.latest(),
        Some((OperationResult::Failed, "DrainTimedOut"))
    );
    let why = &world.maintenance.history[0].message;
    assert!(why.contains("operator.allowForce=true"), "{why}");
    assert!(world.evicted.is_empty() && !world.the_node().unschedulable);
    assert_eq!(told(&world), 1);
}

#[test]
fn a_deletion_that_the_server_forbids_is_not_repeated_every_second() {
    let mut world = blocked(OnDrainTimeout::Force);
    world.deletions_are_forbidden = true;
    let mut deletions = 0;
    while world.maintenance.phase == Phase::Draining {
        let step = world.look().step(world.now);
        let is_deletion = |effect: &&Effect| matches!(effect, Effect::Delete { .. });
        deletions += step.effects.iter().filter(is_deletion).count();
        world.round();
    }
    // Five minutes, every 30 s, two pods.
    assert!((10..=24).contains(&deletions), "{deletions} deletions");
    let world = world.until(Phase::Pending);
    let why = &world.maintenance.history[0].message;
    assert!(why.contains("cannot delete resource pods"), "{why}");
}

#[test]
fn force_gives_up_on_a_pod_that_does_not_end_even_so() {
    let mut world = blocked(OnDrainTimeout::Force);
    world.pods_never_end = true;
    let world = world.until(Phase::Releasing).until(Phase::Pending);
    assert_eq!(
        world.latest(),
        Some((OperationResult::Failed, "DrainTimedOut"))
    );
    assert!(!world.the_node().unschedulable);
}

#[test]
fn a_drain_that_was_empty_too_late_says_so() {
    let mut world = blocked(OnDrainTimeout::Release);
    world.pods.clear();
    world.devices.clear();
    let world = world.until(Phase::Releasing).until(Phase::Pending);
    assert_eq!(
        world.maintenance.history[0].message,
        "the drain took too long: the last pod left too late to be sure that nobody is there"
    );
}
