//! A change waits, says for what, and touches nothing while it waits.

use crds::gpu_node::{OperationResult, Phase};
use crds::policy::OnForeignCordon;
use crds::{GpuNodeSpec, NodeCount};
use jiff::SignedDuration;

use super::super::waiting::{Wait, Waiting};
use super::fixtures::AFTER;
use super::world::{Want, World};
use crate::conditions;
use crate::pod::{Controller, Protection};
use crate::windows::WindowState;

type Setting = fn(&mut World);

/// In the order in which they are asked: each stands before all that follow.
const GATES: [(&str, &str, Setting); 12] = [
    ("PolicyInvalid", "to be checked", |world| {
        world.valid = false;
    }),
    ("Paused", "spec.paused", |world| world.policy.paused = true),
    ("DryRun", "spec.dryRun", |world| world.policy.dry_run = true),
    ("HeldByUser", "gpusharing.dev/hold", |world| {
        world.change_node(|node| node.hold = true);
    }),
    ("NodeNotReady", "Ready", |world| {
        world.change_node(|node| node.ready = false);
    }),
    ("ForeignCordon", "onForeignCordon: Skip", |world| {
        world.policy.maintenance.on_foreign_cordon = OnForeignCordon::Skip;
        world.admin_cordons();
    }),
    ("DriverUpgrade", "upgrade-failed", |world| {
        let failed = Some("upgrade-failed".to_owned());
        world.change_node(|node| node.neighbours.driver_upgrade = failed);
    }),
    ("BackingOff", "attempt 1", |world| {
        world.maintenance.attempts = 1;
        let next = world.now + SignedDuration::from_mins(5);
        world.maintenance.next_attempt = Some(conditions::seconds(next));
        world.spec.policy = Some(super::fixtures::reference(world.generation));
    }),
    ("PreflightBlocked", "NoController", |world| {
        world.pods[2].controller = Controller::None;
    }),
    ("WindowClosed", "maintenance window", |world| {
        world.set_window(false);
    }),
    ("Frozen", "maxUnavailable is 0", |world| {
        world.policy.maintenance.max_unavailable = NodeCount::Number(0);
    }),
    ("AwaitingSlot", "to admit the node", |_| {}),
];

/// Looks and acts without the policy controller, so that no slot is granted.
fn look(world: &mut World) {
    world.agent_acts();
    world.operator_reads();
    world.operator_acts(u32::MAX);
}

#[test]
fn each_gate_says_what_is_waited_for_and_comes_before_those_after_it() {
    for first in 0..GATES.len() {
        let mut world = World::changing();
        for (_, _, set) in &GATES[first..] {
            set(&mut world);
        }
        let writes = world.writes;
        look(&mut world);
        let (reason, part, _) = GATES[first];
        let (found, message) = world.says("MaintenancePending").expect(reason);
        assert_eq!(found, reason);
        assert!(message.contains(part), "{reason}: {message}");
        assert_eq!(world.maintenance.waiting_for.as_deref(), Some(message));
        assert_eq!(world.maintenance.phase, Phase::Pending, "{reason}");
        assert_eq!(
            world.writes,
            writes + 1,
            "{reason}: only the status is written"
        );
        assert!(!world.the_node().unschedulable || reason != "AwaitingSlot");
    }
}

#[test]
fn a_node_that_no_slot_comes_for_says_why_the_roll_out_has_stopped() {
    let mut world = World::changing();
    world.halted = Some("3 operations in a row did not succeed".to_owned());
    look(&mut world);
    let (reason, message) = world.says("MaintenancePending").unwrap();
    assert_eq!(reason, "AwaitingSlot");
    assert!(message.ends_with("its roll-out has stopped: 3 operations in a row did not succeed"));
}

#[test]
fn what_is_waited_for_says_why_devices_that_stay_must_be_emptied() {
    let why = |reasons: &[&str]| {
        let reasons: Vec<_> = reasons.iter().map(|it| (*it).to_owned()).collect();
        let wait = Wait::new(Waiting::WindowClosed, "the window to open");
        wait.and_empty(&reasons).message
    };
    assert_eq!(why(&[]), "the window to open");
    let some = "the window to open; pods must leave then: a; b; c; and 1 more";
    assert_eq!(why(&["a", "b", "c", "d"]), some);
}

#[test]
fn a_node_that_waits_shows_whom_it_would_evict_and_whom_not() {
    for (reason, _, set) in GATES {
        let mut world = World::changing();
        set(&mut world);
        look(&mut world);
        let plan = world.maintenance.plan.expect(reason);
        let evicted = plan.victims.len() + usize::from(reason == "PreflightBlocked");
        assert_eq!(evicted, 2, "{reason}: {plan:?}");
        assert_eq!(plan.untouched, ["default/pod-1"], "{reason}");
        assert_eq!(plan.gpus[0].kept, 1, "{reason}");
    }
}

#[test]
fn an_agent_that_does_not_report_or_is_not_ready_is_not_believed() {
    let mut world = World::changing();
    world.agent = None;
    world.operator_reads();
    world.operator_acts(u32::MAX);
    assert_eq!(world.says("MaintenancePending").unwrap().0, "AgentNotReady");

    let mut world = World::in_sync();
    let agent = world.agent.as_mut().unwrap();
    agent.conditions[0].status = "False".to_owned();
    agent.conditions[0].message = "the driver library is missing".to_owned();
    world.operator_reads();
    world.operator_acts(u32::MAX);
    let (reason, message) = world.says("MaintenancePending").unwrap();
    assert_eq!(reason, "AgentNotReady");
    assert!(
        message.contains("the driver library is missing"),
        "{message}"
    );
    let synced = conditions::find(&world.maintenance.conditions, "Synced").unwrap();
    assert_eq!(synced.status, "Unknown");
}

#[test]
fn a_policy_that_cannot_be_had_touches_nothing() {
    let mut world = World::in_sync();
    let spec = world.spec.clone();
    world.wants(Want::Impossible);
    let world = world.rounds(5);
    let (reason, message) = world.says("MaintenancePending").unwrap();
    assert_eq!(reason, "PolicyInvalid");
    assert!(message.contains("this layout does not fit"), "{message}");
    assert!(!world.the_node().unschedulable);
    assert_eq!(world.spec, spec);
    assert!(world.evicted.is_empty());
}

#[test]
fn another_value_of_the_retry_annotation_ends_the_back_off() {
    let mut world = World::changing();
    GATES[7].2(&mut world);
    look(&mut world);
    assert_eq!(world.says("MaintenancePending").unwrap().0, "BackingOff");
    world.change_node(|node| node.retry = Some("now".to_owned()));
    look(&mut world);
    assert_eq!(world.says("MaintenancePending").unwrap().0, "AwaitingSlot");
    assert_eq!(world.maintenance.attempts, 0);
}

#[test]
fn another_policy_ends_the_back_off() {
    let mut world = World::changing();
    GATES[7].2(&mut world);
    world.generation += 1;
    look(&mut world);
    assert_eq!(world.says("MaintenancePending").unwrap().0, "AwaitingSlot");
}

#[test]
fn the_wait_ends_by_itself_when_a_protection_does() {
    let mut world = World::changing();
    let started = world.now;
    world.pods[2].protection = Protection::parse("10m");
    world.pods[2].started = Some(started);
    world.operator_reads();
    let step = world.look().step(world.now);
    let end = started + SignedDuration::from_mins(10);
    assert_eq!(step.next, crate::maintenance::Next::At(end));
    world.now = end;
    look(&mut world);
    assert_eq!(world.says("MaintenancePending").unwrap().0, "AwaitingSlot");
}

#[test]
fn a_slot_that_is_not_needed_any_more_is_given_back() {
    let mut world = World::changing();
    look(&mut world);
    world.admission_acts();
    let slot = world.slot.clone().expect("a slot");
    world.wants(Want::Layout(super::fixtures::BEFORE));
    look(&mut world);
    assert_eq!(world.maintenance.operation_id, slot.operation);
    assert_eq!(
        world.latest(),
        Some((OperationResult::Released, "NotNeeded"))
    );
    let world = world.until(Phase::InSync).rounds(1);
    assert_eq!(world.slot, None);
    assert!(!world.the_node().unschedulable);
}

#[test]
fn a_slot_from_a_window_that_has_closed_is_given_back() {
    let mut world = World::changing();
    look(&mut world);
    world.admission_acts();
    world.set_window(false);
    look(&mut world);
    assert_eq!(world.maintenance.phase, Phase::Pending);
    assert_eq!(
        world.latest(),
        Some((OperationResult::Released, "WindowClosed"))
    );
    world.admission_acts();
    assert_eq!(world.slot, None);
}

/// The operator was away for most of the window; by default an operation may need 22 minutes.
#[test]
fn a_slot_that_is_taken_up_with_too_little_left_of_the_window_is_given_back() {
    for (left, begins) in [(22 * 60 - 20, true), (22 * 60 - 40, false)] {
        let mut world = World::changing();
        look(&mut world);
        world.admission_acts();
        world.window = WindowState::Open {
            start: world.now,
            end: world.now + SignedDuration::from_secs(left),
        };
        look(&mut world);
        let outcome = (OperationResult::Released, "WindowClosed");
        assert_eq!(
            world.maintenance.phase == Phase::Preparing,
            begins,
            "{left}"
        );
        assert_eq!(world.latest(), (!begins).then_some(outcome), "{left}");
    }
}

#[test]
fn the_first_look_at_a_node_that_was_made_anew_is_about_the_spec_that_it_saw() {
    let mut world = World::changing().until(Phase::Draining);
    world.spec_generation += 1;
    world.admin_deletes_node();
    world.make_node();
    world.operator_reads();
    world.operator_acts(u32::MAX);
    let conditions = &world.maintenance.conditions;
    assert!(!conditions.is_empty());
    let mut observed = conditions.iter().map(|it| it.observed_generation);
    assert!(observed.all(|it| it == Some(world.spec_generation - 1)));
}

#[test]
fn a_slot_of_a_node_that_was_made_anew_is_not_taken_up() {
    let mut world = World::changing();
    look(&mut world);
    world.admission_acts();
    world.slot.as_mut().unwrap().uid = "another".to_owned();
    look(&mut world);
    assert_eq!(world.maintenance.phase, Phase::Pending);
    assert!(world.maintenance.history.is_empty());
}

#[test]
fn a_node_that_no_policy_selects_is_left_alone() {
    let mut world = World::in_sync();
    let (label, gpu) = (world.the_node().plugin_config.clone(), world.gpu.clone());
    assert!(!world.the_node().guarantees.is_empty());
    world.wants(Want::Nothing);
    let world = world.until(Phase::Unmanaged).rounds(3);
    assert_eq!(world.spec, GpuNodeSpec::default());
    assert!(world.the_node().guarantees.is_empty());
    assert_eq!(world.the_node().plugin_config, label);
    assert_eq!(world.gpu.instances, gpu.instances);
    assert!(world.maintenance.conditions.is_empty());
}

#[test]
fn more_holders_than_there_should_be_do_not_disturb_a_verified_node() {
    let mut world = World::in_sync();
    world
        .devices
        .insert("pod-that-ended".to_owned(), "MIG-0".to_owned());
    let world = world.rounds(3);
    assert_eq!(world.maintenance.phase, Phase::InSync);
}

#[test]
fn nothing_is_written_while_nothing_happens() {
    let world = World::changing().until(Phase::Preparing);
    let world = world.until(Phase::InSync).rounds(5);
    let (writes, node, gpu_node) = (world.writes, world.node_version, world.gpu_node_version);
    let world = world.rounds(300);
    assert_eq!(
        (world.writes, world.node_version, world.gpu_node_version),
        (writes, node, gpu_node)
    );
    assert_eq!(world.want, Want::Layout(AFTER));
}

#[test]
fn what_the_agent_began_before_its_gpu_node_was_deleted_is_waited_for_and_not_begun_again() {
    let mut world = World::changing().until(Phase::Repartitioning);
    while world.gpu.instances.len() == 3 {
        world.round();
    }
    world.agent_is_up = false;
    let slot = world.slot.clone().expect("a slot");
    world.spec = GpuNodeSpec::default();
    world.maintenance = crds::gpu_node::MaintenanceStatus::default();
    world.gpu_node_version += 1;
    let mut world = world.rounds(2);
    let (reason, message) = world.says("MaintenancePending").expect("a reason");
    assert_eq!(reason, "AgentNotReady");
    assert!(message.contains(&slot.operation.to_string()), "{message}");
    assert_eq!(world.maintenance.operation_id, slot.operation);
    assert_eq!(world.slot, None, "a slot that was used is given back");
    world.agent_is_up = true;
    let world = world.until(Phase::InSync);
    assert!(!world.the_node().unschedulable);
}
