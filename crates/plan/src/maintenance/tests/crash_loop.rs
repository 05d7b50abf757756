//! A policy that has the pods of an MPS daemon evicted that was given up.

use crds::gpu_node::{MpsState, OperationResult, Phase};
use crds::policy::{DrainScope, OnMpsCrashLoop};

use super::fixtures::{self, GPU};
use super::mps::{daemon, given_up, served, told};
use super::world::World;
use crate::pod::Protection;

/// Two pods have the GPU and one has none; the daemon is about to be given up.
fn with_clients() -> World {
    let mut world = served();
    world.policy.maintenance.on_mps_crash_loop = OnMpsCrashLoop::Evict;
    world.bind(GPU);
    world.bind(GPU);
    world.crowds(1);
    let mut world = world.rounds(2);
    world.events.clear();
    given_up(&mut world);
    world
}

/// The drain has begun, and a budget holds it up.
fn draining() -> World {
    let mut world = with_clients();
    world.budget_blocks = true;
    world.until(Phase::Draining).rounds(3)
}

fn message(world: &World) -> &str {
    let (reason, message) = world.says("Quarantined").unwrap();
    assert_eq!(reason, "MpsCrashLooping");
    message
}

#[test]
fn exactly_the_pods_of_the_daemon_are_evicted_and_the_node_stays_quarantined() {
    for scope in [DrainScope::AffectedDevices, DrainScope::Node] {
        let mut world = with_clients();
        world.policy.maintenance.drain.scope = scope;
        // What is broken already waits for no window.
        world.set_window(false);
        let world = world
            .until(Phase::Draining)
            .until(Phase::Quarantined)
            .rounds(60);
        assert_eq!(world.maintenance.phase, Phase::Quarantined);
        assert_eq!(world.evicted.len(), 2, "{:?}", world.evicted);
        assert_eq!(world.pods.len(), 1);
        assert!(
            message(&world).contains("daemon of GPU 0"),
            "{}",
            message(&world)
        );
        let node = world.the_node();
        assert!(node.unschedulable && node.guarantees.is_empty());
        assert_eq!(told(&world, "NodeQuarantined"), 1);
        assert_eq!(told(&world, "DrainCompleted"), 1);
    }
}

#[test]
fn without_a_word_of_the_policy_nobody_is_evicted() {
    let mut world = with_clients();
    world.policy.maintenance.on_mps_crash_loop = OnMpsCrashLoop::default();
    let world = world.rounds(60);
    assert_eq!(world.maintenance.phase, Phase::Quarantined);
    assert!(world.evicted.is_empty());
    assert_eq!(world.pods.len(), 3);
}

#[test]
fn who_may_not_be_evicted_stays_and_so_do_the_others() {
    let mut world = with_clients();
    world.pods[0].protection = Protection::Always;
    let world = world.until(Phase::Quarantined).rounds(5);
    assert!(world.evicted.is_empty());
    assert!(
        message(&world).contains("DoNotEvict"),
        "{}",
        message(&world)
    );
}

#[test]
fn a_budget_is_kept_until_the_deadline_and_named_then() {
    let mut world = with_clients();
    world.budget_blocks = true;
    let world = world.until(Phase::Draining);
    let deadline = world.maintenance.deadline.clone().unwrap().0;
    let world = world.until(Phase::Quarantined).rounds(5);
    assert!(world.now >= deadline);
    assert!(world.evicted.is_empty());
    let message = message(&world);
    assert!(
        message.contains("not all of its pods were evicted"),
        "{message}"
    );
    assert!(message.contains("budget web"), "{message}");
}

#[test]
fn a_daemon_that_serves_again_ends_the_drain_and_gives_the_node_back() {
    let mut world = draining();
    world.daemon = Some(daemon(MpsState::Running));
    world.gpu.mps = Some(fixtures::served().gpus[0].sharing.clone());
    let world = world.until(Phase::InSync);
    assert!(!world.the_node().unschedulable);
    assert_eq!(
        world.latest(),
        Some((OperationResult::Released, "MpsServing"))
    );
    assert!(world.evicted.is_empty());
}

#[test]
fn who_uncordons_the_node_ends_the_drain() {
    let mut world = draining();
    world.set_window(false);
    world.change_node(|node| node.unschedulable = false);
    let world = world.until(Phase::Pending).rounds(5);
    assert_eq!(
        world.latest(),
        Some((OperationResult::Failed, "ExternalUncordon"))
    );
    assert!(world.evicted.is_empty());
}

#[test]
fn a_policy_that_becomes_a_dry_run_evicts_nobody_any_more() {
    let mut world = draining();
    world.policy.dry_run = true;
    world.budget_blocks = false;
    let world = world.until(Phase::Quarantined).rounds(60);
    assert!(world.evicted.is_empty());
    assert!(message(&world).contains("dry run"), "{}", message(&world));
}

#[test]
fn an_operator_that_dies_anywhere_in_it_comes_to_the_same() {
    for (rounds, survives) in (0..12).flat_map(|rounds| (0..4).map(move |it| (rounds, it))) {
        let mut world = with_clients().rounds(rounds);
        world.agent_acts();
        world.operator_reads();
        world.operator_acts(survives);
        let world = world.until(Phase::Quarantined).rounds(30);
        assert_eq!(world.maintenance.phase, Phase::Quarantined);
        assert_eq!(world.evicted.len(), 2, "{rounds} {survives}");
        assert!(message(&world).contains("daemon of GPU 0"));
    }
}
