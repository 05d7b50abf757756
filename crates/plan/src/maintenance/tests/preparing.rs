//! No node is touched before its agent has answered.

use crds::gpu_node::{OperationResult, OperationStage, Phase};

use super::fixtures::{self, OTHER};
use super::world::{Fault, Want, World};
use crate::pod::{Controller, Protection};

/// A change of mind.
type Change = fn(&mut World);

#[test]
fn the_agent_is_asked_with_the_target_and_the_configuration_is_published_first() {
    let mut world = World::changing().until(Phase::Preparing);
    world.agent_is_up = false;
    let world = world.rounds(1);
    let asked = world.spec.operation.clone().unwrap();
    assert_eq!(asked.stage, OperationStage::Prepare);
    assert_eq!(asked.id, world.maintenance.operation_id);
    assert_eq!(world.spec.target, Some(fixtures::target(fixtures::AFTER)));
    let key = world.maintenance.plugin_config.clone().unwrap().key;
    assert!(world.configs.contains_key(&key));
    assert_ne!(
        world.the_node().plugin_config,
        Some(key),
        "the label follows later"
    );
    assert!(!world.the_node().unschedulable);
}

#[test]
fn a_dead_agent_costs_half_a_minute_and_never_a_cordon() {
    let mut world = World::changing();
    world.agent_is_up = false;
    let mut world = world.until(Phase::Preparing);
    world.events.clear();
    let began = world.now;
    let world = world.until(Phase::Pending);
    assert!(world.now.duration_since(began).as_secs() <= 33);
    assert_eq!(world.latest(), Some((OperationResult::Failed, "AgentLost")));
    assert_eq!(world.events.first(), Some(&"AgentLost"));
    assert_eq!(world.says("MaintenancePending").unwrap().0, "BackingOff");
    assert!(world.node_version < 20 && !world.the_node().unschedulable);
    assert_eq!(world.spec.operation, None);
}

#[test]
fn a_refusal_is_told_and_backs_off() {
    let mut world = World::changing();
    world.fault = Some(Fault::Refuse);
    let world = world.until(Phase::Releasing).until(Phase::Pending);
    assert_eq!(
        world.latest(),
        Some((OperationResult::Failed, "AgentRefused"))
    );
    let (_, message) = world.says("MaintenancePending").unwrap();
    assert!(message.contains("told to"), "{message}");
    assert!(world.evicted.is_empty());
}

#[test]
fn a_pod_that_came_meanwhile_and_may_not_be_evicted_stops_it_before_the_cordon() {
    let mut world = World::changing().until(Phase::Preparing);
    world.pods[1].controller = Controller::None;
    let world = world.until(Phase::Releasing).until(Phase::Pending);
    assert_eq!(
        world.latest(),
        Some((OperationResult::Released, "PreflightBlocked"))
    );
    assert!(!world.events.contains(&"NodeCordoned"));
    assert_eq!(
        world.says("MaintenancePending").unwrap().0,
        "PreflightBlocked"
    );
    assert_eq!(world.maintenance.attempts, 0);
}

#[test]
fn a_protection_that_cannot_be_read_is_told_and_does_not_protect() {
    let mut world = World::changing();
    world.pods[1].protection = Protection::parse("until tuesday");
    let world = world.until(Phase::Draining);
    let told = world
        .events
        .iter()
        .filter(|event| **event == "ProtectionUnreadable");
    assert_eq!(told.count(), 1);
}

#[test]
fn a_change_of_mind_releases_without_a_penalty() {
    let changes: [(&str, Change); 5] = [
        ("TargetChanged", |world| world.wants(Want::Layout(OTHER))),
        ("TargetChanged", |world| world.wants(Want::Nothing)),
        ("TargetChanged", |world| world.wants(Want::Impossible)),
        ("DryRun", |world| world.policy.dry_run = true),
        ("HeldByUser", |world| {
            world.change_node(|node| node.hold = true);
        }),
    ];
    for (reason, change) in changes {
        let mut world = World::changing().until(Phase::Preparing);
        world.agent_is_up = false;
        world.round();
        change(&mut world);
        let world = world.until(Phase::Releasing).rounds(6);
        assert_eq!(world.latest(), Some((OperationResult::Released, reason)));
        assert_eq!(world.maintenance.next_attempt, None, "{reason}");
    }
}

#[test]
fn a_pause_or_another_generation_of_the_same_wish_does_not_stop_it() {
    let mut world = World::changing().until(Phase::Preparing);
    world.policy.paused = true;
    world.generation += 1;
    let world = world.until(Phase::Cordoning).until(Phase::Uncordoning);
    assert!(world.maintenance.outcome.is_none());
}

#[test]
fn without_its_slot_an_operation_is_taken_back() {
    for phase in [Phase::Preparing, Phase::Cordoning, Phase::Draining] {
        let mut world = World::changing().until(phase);
        world.slot = None;
        world.operator_reads();
        world.operator_acts(u32::MAX);
        assert_eq!(world.maintenance.phase, Phase::Releasing, "{phase:?}");
        let world = world.until_settled();
        let released = Some((OperationResult::Released, "SlotLost"));
        assert_eq!(world.latest(), released, "{phase:?}");
    }
}
