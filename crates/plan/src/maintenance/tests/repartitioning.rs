//! The agent changes the GPUs: before the point of no return everything is undone, after it there are three ways out.

use crds::gpu_node::{AgentStage, OperationResult, Phase};

use super::fixtures::{AFTER, BEFORE, GPU};
use super::world::{Fault, Want, World};

#[test]
fn a_silent_agent_that_has_not_begun_costs_a_release() {
    let mut world = World::changing().until(Phase::Repartitioning);
    world.agent_is_up = false;
    let world = world.until(Phase::Releasing).until(Phase::Pending);
    assert_eq!(world.latest(), Some((OperationResult::Failed, "AgentLost")));
    assert!(!world.the_node().unschedulable);
}

#[test]
fn a_pod_that_came_after_the_drain_keeps_the_go_ahead_from_being_given() {
    let mut world = World::changing().until(Phase::Repartitioning);
    world.bind("MIG-1");
    let world = world.until(Phase::Releasing).until(Phase::Pending);
    assert_eq!(
        world.latest(),
        Some((OperationResult::Failed, "DevicesHeld"))
    );
    assert!(!world.the_node().unschedulable);
}

#[test]
fn a_silent_agent_that_has_begun_is_waited_for_and_then_the_node_is_quarantined() {
    let mut world = World::changing().until(Phase::Repartitioning);
    while world.journal.as_ref().unwrap().stage != AgentStage::Destroying {
        world.round();
    }
    world.agent_is_up = false;
    let world = world.rounds(200);
    assert_eq!(world.maintenance.phase, Phase::Repartitioning);
    let world = world.until(Phase::Quarantined);
    assert_eq!(world.says("Quarantined").unwrap().0, "RepartitionTimedOut");
    assert!(world.the_node().unschedulable);
    assert_eq!(world.latest(), None, "it is not over");
    let mut world = world.rounds(60);
    assert_eq!(
        world.maintenance.phase,
        Phase::Quarantined,
        "what the agent last saw is no news"
    );
    world.agent_is_up = true;
    let world = world.until(Phase::InSync);
    assert_eq!(
        world.latest(),
        Some((OperationResult::Succeeded, "Succeeded"))
    );
}

#[test]
fn promises_go_as_soon_as_an_agent_says_that_it_has_begun_without_being_told() {
    let mut world = World::changing().until(Phase::Preparing);
    world.agent_is_up = false;
    let mut world = world.rounds(1);
    let asked = world.spec.operation.as_ref().unwrap().id;
    let promised = world.the_node().guarantees.clone();
    world.agent_lies(asked, AgentStage::Destroying, None);
    world.round();
    assert_eq!(world.maintenance.phase, Phase::Repartitioning);
    assert_eq!(world.the_node().guarantees.len(), 0, "of {promised:?}");
    world.agent_is_up = true;
    let world = world.until(Phase::InSync);
    assert_eq!(world.the_node().guarantees, promised, "so it is again");
}

#[test]
fn a_failed_step_rolls_back_and_gives_the_node_back() {
    let mut world = World::changing();
    let (key, layout) = (
        world.the_node().plugin_config.clone(),
        world.gpu.instances.clone(),
    );
    let promised = world.the_node().guarantees.clone();
    world.fault = Some(Fault::Create);
    let world = world
        .until(Phase::RollingBack)
        .until(Phase::Validating)
        .until(Phase::Pending);
    assert_eq!(
        world.latest(),
        Some((OperationResult::RolledBack, "RolledBack"))
    );
    let places = |slices: &[crds::gpu_node::MigInstance]| -> Vec<_> {
        slices
            .iter()
            .map(|slice| (slice.profile.clone(), slice.start))
            .collect()
    };
    assert_eq!(places(&world.gpu.instances), places(&layout));
    assert_ne!(world.gpu.instances, layout, "other UUIDs");
    assert_ne!(
        world.the_node().plugin_config,
        key,
        "the plugin must read them again"
    );
    assert_eq!(world.plugin_key, world.the_node().plugin_config);
    assert!(!world.the_node().unschedulable);
    assert_eq!(world.the_node().guarantees, promised);
    assert_eq!(world.says("MaintenancePending").unwrap().0, "BackingOff");
    for event in ["RepartitionFailed", "RollbackSucceeded", "NodeUncordoned"] {
        assert!(world.events.contains(&event), "{event}");
    }
}

/// After a rollback there are as many slices as before, with other UUIDs: a plugin that has not read them yet would hand out
/// devices that are gone.
#[test]
fn a_plugin_that_advertises_the_right_numbers_by_chance_is_given_time() {
    let mut world = World::changing();
    world.fault = Some(Fault::Create);
    let mut world = world.until(Phase::Validating);
    let began = world.now;
    world.plugin_is_up = false;
    let world = world.until(Phase::Uncordoning);
    let waited = world.now.duration_since(began).as_secs();
    assert!((10..=12).contains(&waited), "{waited}");

    let world = World::changing().until(Phase::Validating);
    let began = world.now;
    let world = world.until(Phase::Uncordoning);
    let waited = world.now.duration_since(began).as_secs();
    assert!(waited <= 3, "{waited}: other numbers show it");
}

#[test]
fn a_plugin_is_given_time_from_when_it_was_told_and_not_from_when_an_operator_meant_to() {
    let mut world = World::changing();
    world.fault = Some(Fault::Create);
    let mut world = world.until(Phase::Validating);
    world.plugin_is_up = false;
    // The operator dies before it has told the plugin; another takes its place.
    world.operator_dies();
    world.pass(20);
    let told = world.now;
    let world = world.until(Phase::Uncordoning);
    let waited = world.now.duration_since(told).as_secs();
    assert!((10..=13).contains(&waited), "{waited}");
}

#[test]
fn a_rollback_without_a_verified_target_leaves_the_gpus_unshared_as_they_are() {
    let mut world = World::changing();
    world.maintenance.verified = None;
    world.fault = Some(Fault::Create);
    let world = world.until(Phase::RollingBack).until(Phase::Pending);
    assert_eq!(
        world.latest(),
        Some((OperationResult::RolledBack, "RolledBack"))
    );
    assert!(!world.the_node().unschedulable);
}

#[test]
fn a_failed_rollback_keeps_the_cordon_until_the_gpus_are_seen_in_order() {
    for (repaired, result) in [
        (AFTER, OperationResult::Succeeded),
        (BEFORE, OperationResult::RolledBack),
    ] {
        let mut world = World::changing();
        world.fault = Some(Fault::CreateAndRollBack);
        let mut world = world.until(Phase::Quarantined).rounds(700);
        assert!(world.the_node().unschedulable && world.slot.is_some());
        assert_eq!(world.says("Quarantined").unwrap().0, "RollbackFailed");
        assert!(world.events.contains(&"NodeQuarantined"));
        let writes = world.writes;
        world = world.rounds(60);
        assert_eq!(world.writes, writes, "silent while it waits for a person");
        world.repairs_to(repaired);
        let world = world.until(Phase::Uncordoning).rounds(4);
        assert_eq!(world.latest().unwrap().0, result);
        assert!(!world.the_node().unschedulable);
    }
}

#[test]
fn an_uncordon_after_the_point_of_no_return_does_not_stop_it() {
    let mut world = World::changing().until(Phase::Repartitioning);
    while world.journal.as_ref().unwrap().stage != AgentStage::Destroying {
        world.round();
    }
    world.round();
    world.admin_uncordons();
    let world = world.until(Phase::InSync);
    assert_eq!(
        world.latest(),
        Some((OperationResult::Succeeded, "Succeeded"))
    );
    assert!(world.events.contains(&"ExternalUncordon"));
}

#[test]
fn a_policy_that_is_gone_after_the_point_of_no_return_does_not_stop_it() {
    let mut world = World::changing().until(Phase::Repartitioning);
    while world.journal.as_ref().unwrap().stage != AgentStage::Destroying {
        world.round();
    }
    world.wants(Want::Nothing);
    let world = world.until(Phase::Unmanaged);
    assert_eq!(
        world.latest(),
        Some((OperationResult::Succeeded, "Succeeded"))
    );
    assert!(!world.the_node().unschedulable);
}

#[test]
fn a_node_that_does_not_advertise_its_devices_in_time_is_quarantined_until_it_does() {
    let mut world = World::changing();
    world.plugin_is_up = false;
    let world = world.until(Phase::Quarantined);
    let (reason, message) = world.says("Quarantined").unwrap();
    assert_eq!(reason, "ValidationTimedOut");
    assert!(
        message.contains("instead of 1 nvidia.com/mig-1g.5gb and 1 nvidia.com/mig-3g.20gb"),
        "{message}"
    );
    let mut world = world.rounds(700);
    assert_eq!(world.maintenance.phase, Phase::Quarantined);
    world.plugin_is_up = true;
    let world = world.until(Phase::InSync);
    assert!(!world.the_node().unschedulable);
}

#[test]
fn a_target_without_its_devices_is_not_validated() {
    let mut world = World::changing().until(Phase::Validating);
    world.gpu.instances.clear();
    world.change_node(|node| node.resources.clear());
    let world = world.until(Phase::Quarantined);
    assert!(world.says("Quarantined").unwrap().1.contains(GPU));
}
