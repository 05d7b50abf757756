//! The node is given back, and the operation is entered in the history.

use crds::gpu_node::{AgentStage, MaintenanceStatus, OperationResult, OperationStage, Phase};

use super::fixtures::{AFTER, BEFORE};
use super::world::{Want, World};

#[test]
fn a_success_is_told_in_order_and_leaves_nothing_behind() {
    let world = World::changing()
        .until(Phase::Preparing)
        .until(Phase::InSync);
    assert_eq!(
        world.events,
        [
            "NodeCordoned",
            "DrainStarted",
            "DrainCompleted",
            "RepartitionStarted",
            "RepartitionSucceeded",
            "NodeUncordoned",
        ]
    );
    let node = world.the_node();
    assert!(!node.unschedulable && !node.tainted && node.operation.is_none());
    assert_eq!(world.spec.operation, None);
    assert_eq!(world.maintenance.verified, world.spec.target);
    assert_eq!(node.guarantees.len(), 5);
    for kind in ["Synced", "Drained", "Repartitioned", "Validated"] {
        assert!(world.says(kind).is_some(), "{kind}");
    }
    for kind in [
        "MaintenancePending",
        "Cordoned",
        "DrainBlocked",
        "Quarantined",
        "HeldByUser",
    ] {
        assert!(world.says(kind).is_none(), "{kind}");
    }
}

#[test]
fn an_agent_that_has_forgotten_what_it_did_is_told_to_stop_before_the_node_is_given_back() {
    let mut world = World::changing().until(Phase::Uncordoning);
    world.agent_is_up = false;
    let asked = world.spec.operation.as_ref().unwrap().id;
    world.agent_lies(asked, AgentStage::Ready, None);
    world.round();
    let stage = world.spec.operation.as_ref().unwrap().stage;
    assert_eq!(stage, OperationStage::Abort, "it may begin once more");
    assert!(world.the_node().unschedulable);
    world.agent_is_up = true;
    let world = world.until(Phase::InSync);
    assert_eq!(
        world.latest(),
        Some((OperationResult::Succeeded, "Succeeded"))
    );
}

#[test]
fn the_history_says_how_long_each_phase_took_and_keeps_five() {
    let mut world = World::changing()
        .until(Phase::Preparing)
        .until(Phase::InSync);
    let latest = &world.maintenance.history[0];
    let phases: Vec<_> = latest.durations.iter().map(|spent| spent.phase).collect();
    assert_eq!(
        phases,
        [
            Phase::Preparing,
            Phase::Cordoning,
            Phase::Draining,
            Phase::Repartitioning,
            Phase::Validating,
            Phase::Uncordoning,
        ]
    );
    let sum: i64 = latest
        .durations
        .iter()
        .map(|spent| spent.milliseconds)
        .sum();
    let whole = latest.finished_at.0.duration_since(latest.started_at.0);
    assert_eq!(i128::from(sum), whole.as_millis());
    for layout in [BEFORE, AFTER, BEFORE, AFTER, BEFORE] {
        world.wants(Want::Layout(layout));
        world = world.until(Phase::Preparing).until(Phase::InSync);
    }
    assert_eq!(world.maintenance.history.len(), 5);
    let ids: Vec<_> = world
        .maintenance
        .history
        .iter()
        .map(|entry| entry.id)
        .collect();
    assert!(ids.is_sorted_by(|one, other| one > other), "{ids:?}");
}

#[test]
fn promises_are_withdrawn_with_the_cordon_and_are_back_after_a_release() {
    let mut world = World::changing();
    let promised = world.the_node().guarantees.clone();
    world.budget_blocks = true;
    let mut world = world.until(Phase::Draining);
    assert!(world.the_node().guarantees.is_empty());
    world.set_window(false);
    let world = world.until(Phase::Pending);
    assert_eq!(world.the_node().guarantees, promised);
}

#[test]
fn a_node_that_a_person_holds_is_not_uncordoned_until_they_let_go() {
    for fails in [false, true] {
        let mut world = World::changing().until(Phase::Draining);
        world.change_node(|node| node.hold = true);
        if fails {
            world.set_window(false);
        }
        let mut world = world.rounds(120);
        let phase = if fails {
            Phase::Releasing
        } else {
            Phase::Uncordoning
        };
        assert_eq!(world.maintenance.phase, phase);
        assert!(world.the_node().unschedulable);
        assert!(world.says("HeldByUser").is_some());
        let sentence = world.maintenance.waiting_for.clone().unwrap();
        assert!(sentence.contains("gpusharing.dev/hold"), "{sentence}");
        let writes = world.writes;
        world = world.rounds(60);
        assert_eq!(world.writes, writes, "silent while it is held");
        world.change_node(|node| node.hold = false);
        let world = world.rounds(5);
        assert!(!world.the_node().unschedulable);
    }
}

#[test]
fn an_agent_that_began_in_the_same_moment_finishes_instead() {
    let mut world = World::changing().until(Phase::Repartitioning).rounds(1);
    assert_eq!(
        world.spec.operation.as_ref().unwrap().stage,
        OperationStage::Proceed
    );
    world.agent_reads();
    world.set_window(false);
    world.operator_reads();
    world.agent_goes_on();
    world.operator_acts(u32::MAX);
    let world = world.until(Phase::InSync);
    assert_eq!(
        world.latest(),
        Some((OperationResult::Succeeded, "Succeeded"))
    );
}

#[test]
fn an_agent_that_read_the_go_ahead_and_comes_late_does_not_begin() {
    let mut world = World::changing().until(Phase::Repartitioning).rounds(1);
    world.agent_reads();
    world.agent_is_up = false;
    let late = world.agent_saw.take();
    let mut world = world.until(Phase::Releasing).until(Phase::Pending);
    let before = world.gpu.instances.clone();
    world.agent_is_up = true;
    world.agent_saw = late;
    world.agent_goes_on();
    let world = world.rounds(3);
    assert_eq!(world.gpu.instances, before);
    assert_eq!(world.latest(), Some((OperationResult::Failed, "AgentLost")));
}

#[test]
fn a_node_that_is_deleted_takes_everything_with_it_and_a_new_one_begins_afresh() {
    for phase in [
        Phase::Preparing,
        Phase::Draining,
        Phase::Repartitioning,
        Phase::Validating,
    ] {
        let mut world = World::changing();
        world = world.until(phase);
        world.admin_deletes_node();
        world.operator_reads();
        world.operator_acts(u32::MAX);
        assert_eq!(world.maintenance, MaintenanceStatus::default(), "{phase:?}");
        world.make_node();
        let world = world.until(Phase::InSync);
        assert!(!world.the_node().unschedulable, "{phase:?}");
        assert_eq!(world.the_node().uid, "node-2");
    }
}

#[test]
fn a_new_node_of_the_same_name_asks_the_agent_to_forget_first() {
    let mut world = World::changing().until(Phase::Draining);
    world.admin_deletes_node();
    world.make_node();
    world.operator_reads();
    world.operator_acts(u32::MAX);
    assert_eq!(world.spec, crds::GpuNodeSpec::default());
    assert_eq!(
        world.maintenance.phase,
        Phase::Draining,
        "the status follows in the next step"
    );
    world.operator_reads();
    world.operator_acts(u32::MAX);
    assert_eq!(world.maintenance.phase, Phase::Unmanaged);
    assert_eq!(world.maintenance.node_uid.as_deref(), Some("node-2"));
}
