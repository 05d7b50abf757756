//! The ways out of quarantine that a person opens.

use crds::gpu_node::{OperationResult, Phase};
use jiff::SignedDuration;

use super::fixtures::OTHER;
use super::world::{Fault, Want, World};
use crate::windows::WindowState;

fn quarantined() -> World {
    let mut world = World::changing();
    world.fault = Some(Fault::CreateAndRollBack);
    world.until(Phase::Quarantined).rounds(3)
}

#[test]
fn a_retry_runs_the_operation_again_without_giving_the_node_back() {
    let mut world = quarantined();
    let first = world.maintenance.operation_id;
    world.change_node(|node| node.retry = Some("1".to_owned()));
    while world.maintenance.phase != Phase::InSync {
        world.round();
        let is_kept = world.the_node().unschedulable;
        assert!(is_kept || matches!(world.maintenance.phase, Phase::Uncordoning | Phase::InSync));
    }
    assert_eq!(world.maintenance.operation_id, first + 1);
    let results: Vec<_> = world
        .maintenance
        .history
        .iter()
        .map(|entry| entry.result)
        .collect();
    assert_eq!(
        results,
        [OperationResult::Succeeded, OperationResult::Quarantined]
    );
    let world = world.rounds(2);
    assert_eq!(world.slot, None);
}

#[test]
fn another_wish_is_tried_too() {
    let mut world = quarantined();
    world.wants(Want::Layout(OTHER));
    let world = world.until(Phase::Preparing).until(Phase::InSync);
    assert!(!world.the_node().unschedulable);
}

#[test]
fn a_retry_that_is_given_up_goes_back_to_quarantine_and_not_to_the_scheduler() {
    let mut world = quarantined();
    world.fault = Some(Fault::Refuse);
    world.change_node(|node| node.retry = Some("1".to_owned()));
    let world = world.until(Phase::Preparing).until(Phase::Quarantined);
    assert_eq!(world.says("Quarantined").unwrap().0, "AgentRefused");
    assert!(world.the_node().unschedulable);

    let mut world = quarantined();
    world.change_node(|node| node.retry = Some("1".to_owned()));
    let mut world = world.until(Phase::Repartitioning).rounds(1);
    world.agent_is_up = false;
    let mut world = world.until(Phase::Quarantined).rounds(3);
    assert_eq!(world.says("Quarantined").unwrap().0, "AgentLost");
    let stage = world.spec.operation.as_ref().unwrap().stage;
    assert_eq!(
        stage,
        crds::gpu_node::OperationStage::Abort,
        "a late agent must not begin"
    );
    world.agent_is_up = true;
    let world = world.rounds(10);
    assert!(world.gpu.instances.is_empty());
}

/// A person tries again, and deletes the policy before the agent has heard of that.
#[test]
fn a_retry_that_the_agent_never_heard_of_does_not_keep_a_node_in_quarantine_that_is_in_order() {
    let mut world = World::changing().until(Phase::Repartitioning);
    world.fault = Some(Fault::Create);
    while world.gpu.instances.len() == 3 {
        world.round();
    }
    world.agent_is_up = false;
    let mut world = world.until(Phase::Quarantined);
    let first = world.maintenance.operation_id;
    world.agent_is_up = true;
    while world.gpu.instances.len() != 3 {
        world.agent_acts();
    }
    for _ in 0..3 {
        world.agent_acts();
    }
    world.change_node(|node| node.retry = Some("1".to_owned()));
    world.operator_reads();
    world.operator_acts(u32::MAX);
    assert_eq!(world.maintenance.phase, Phase::Preparing);
    world.wants(Want::Nothing);
    world.operator_reads();
    world.operator_acts(u32::MAX);
    assert_eq!(world.maintenance.phase, Phase::Quarantined);
    assert_eq!(world.maintenance.operation_id, first + 1);
    let world = world.until(Phase::Unmanaged);
    assert!(!world.the_node().unschedulable);
    let told = |word: &str| world.events.iter().filter(|event| **event == word).count();
    assert_eq!(told("NodeUncordoned"), 1, "{:?}", world.events);
    assert_eq!(
        told("ForeignCordonPreserved"),
        0,
        "it was ours all the time"
    );
}

#[test]
fn people_and_windows_hold_a_retry_back() {
    let words: [fn(&mut World); 5] = [
        |world| world.valid = false,
        |world| world.policy.paused = true,
        |world| world.change_node(|node| node.hold = true),
        |world| world.set_window(false),
        // An operation may need 22 minutes.
        |world| {
            world.window = WindowState::Open {
                start: world.now,
                end: world.now + SignedDuration::from_mins(20),
            };
        },
    ];
    for say in words {
        let mut world = quarantined();
        say(&mut world);
        world.change_node(|node| node.retry = Some("1".to_owned()));
        let mut world = world.rounds(5);
        assert_eq!(world.maintenance.phase, Phase::Quarantined);
        world.becomes_fair();
        let world = world.until(Phase::InSync);
        assert_eq!(world.maintenance.retry_seen.as_deref(), Some("1"));
    }
}

#[test]
fn a_status_that_somebody_cleared_does_not_lose_what_the_agent_has_begun() {
    let mut world = World::changing();
    world.fault = Some(Fault::CreateAndRollBack);
    let mut world = world.until(Phase::Repartitioning).rounds(2);
    world.maintenance = crds::gpu_node::MaintenanceStatus::default();
    world.gpu_node_version += 1;
    let world = world.until(Phase::Quarantined);
    assert!(world.the_node().unschedulable);
    assert_eq!(
        Some(world.maintenance.operation_id),
        world.the_node().operation
    );
}

#[test]
fn nothing_is_begun_again_while_the_agent_is_in_the_middle_of_something() {
    let says: [fn(&mut World); 2] = [
        |world| world.change_node(|node| node.retry = Some("1".to_owned())),
        |world| world.wants(Want::Layout(OTHER)),
    ];
    for say in says {
        let mut world = World::changing().until(Phase::Repartitioning);
        while world.gpu.instances.len() == 3 {
            world.round();
        }
        world.agent_is_up = false;
        let mut world = world.until(Phase::Quarantined);
        let operation = world.maintenance.operation_id;
        say(&mut world);
        let mut world = world.rounds(60);
        assert_eq!(world.maintenance.phase, Phase::Quarantined);
        assert_eq!(world.maintenance.operation_id, operation);
        world.agent_is_up = true;
        let world = world.until(Phase::InSync);
        assert!(!world.the_node().unschedulable);
    }
}
