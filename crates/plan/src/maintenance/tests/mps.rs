//! The MPS daemon of a node: what is told of it, and what a daemon that was given up does to the node.

use crds::gpu_node::{MigMode, MpsDaemon, MpsDeath, MpsProcess, MpsState, OperationResult, Phase};
use jiff::SignedDuration;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use super::fixtures;
use super::world::{Want, World};
use crate::conditions;
use crate::maintenance::{Next, wants_pods};

pub(super) fn daemon(state: MpsState) -> MpsDaemon {
    MpsDaemon {
        state,
        trouble: None,
        given_up: None,
        started_at: None,
        last_death: None,
    }
}

pub(super) fn at(seconds: i64) -> MicroTime {
    conditions::microseconds(fixtures::start() + SignedDuration::from_secs(seconds))
}

pub(super) fn death(of: MpsProcess, seconds: i64) -> MpsDeath {
    MpsDeath {
        at: at(seconds),
        of,
        how: "signal: 9 (SIGKILL)".to_owned(),
        pods: vec!["ml/a".to_owned(), "ml/b".to_owned()],
    }
}

/// In sync, with a daemon that serves.
pub(super) fn served() -> World {
    let mut world = World::new();
    world.pods.clear();
    world.devices.clear();
    world.gpu.instances.clear();
    (world.gpu.mig.current, world.gpu.mig.pending) = (MigMode::Disabled, MigMode::Disabled);
    world.gpu.mps = Some(fixtures::served().gpus[0].sharing.clone());
    world.daemon = Some(daemon(MpsState::Running));
    world.wants(Want::Served);
    let mut world = world.until(Phase::InSync);
    world.events.clear();
    world
}

pub(super) fn given_up(world: &mut World) {
    world.gpu.mps = None;
    world.daemon = Some(MpsDaemon {
        given_up: Some(at(90)),
        trouble: Some("no such program".to_owned()),
        last_death: Some(death(MpsProcess::Daemon, 89)),
        ..daemon(MpsState::CrashLooping)
    });
}

pub(super) fn told(world: &World, reason: &str) -> usize {
    world.events.iter().filter(|it| **it == reason).count()
}

#[test]
fn each_death_is_told_once_and_nothing_else_comes_of_it() {
    let mut world = served();
    for (of, reason, seconds) in [
        (MpsProcess::Server, "MpsServerDied", 10),
        (MpsProcess::Daemon, "MpsDaemonDied", 11),
        (MpsProcess::Server, "MpsServerDied", 12),
    ] {
        world.events.clear();
        let state = MpsState::Dead;
        world.daemon = Some(MpsDaemon {
            last_death: Some(death(of, seconds)),
            ..daemon(state)
        });
        world = world.rounds(5);
        assert_eq!(world.events, [reason]);
        assert_eq!(world.maintenance.phase, Phase::InSync);
    }
    // A new agent knows of none, and the next one is told again.
    world.daemon = Some(daemon(MpsState::Running));
    world = world.rounds(2);
    assert_eq!(told(&world, "MpsServerDied"), 1);
    // It is not told again of a node that no policy selects any more.
    world.daemon.as_mut().unwrap().last_death = Some(death(MpsProcess::Daemon, 20));
    world.wants(Want::Nothing);
    let world = world.rounds(5);
    assert_eq!(told(&world, "MpsDaemonDied"), 1);
}

#[test]
fn a_death_names_the_pods_that_it_has_cut_off() {
    let mut world = served();
    world.daemon.as_mut().unwrap().last_death = Some(death(MpsProcess::Daemon, 10));
    world.agent_acts();
    let step = world.look().step(world.now);
    let message = &step.events[0].message;
    assert!(message.contains("of ml/a; ml/b;"), "{message}");
    assert!(message.contains("SIGKILL"), "{message}");
}

#[test]
fn a_node_whose_daemon_was_given_up_is_quarantined_at_once() {
    let mut world = served();
    given_up(&mut world);
    let world = world.rounds(3);
    assert_eq!(world.maintenance.phase, Phase::Quarantined);
    let (reason, message) = world.says("Quarantined").unwrap();
    assert_eq!(reason, "MpsCrashLooping");
    assert!(message.contains("no such program"), "{message}");
    let node = world.the_node();
    assert!(node.unschedulable && node.guarantees.is_empty());
    assert_eq!(told(&world, "NodeQuarantined"), 1);
}

#[test]
fn a_daemon_that_serves_again_ends_the_quarantine() {
    let mut world = served();
    given_up(&mut world);
    let mut world = world.until(Phase::Quarantined).rounds(3);
    world.daemon = Some(daemon(MpsState::Running));
    world.gpu.mps = Some(fixtures::served().gpus[0].sharing.clone());
    let world = world.until(Phase::InSync).rounds(3);
    assert!(!world.the_node().unschedulable);
    assert_eq!(
        world.the_node().guarantees["gpusharing.dev/strategy"],
        "mps"
    );
}

#[test]
fn who_uncordons_the_node_has_the_last_word() {
    let mut world = served();
    given_up(&mut world);
    let mut world = world.until(Phase::Quarantined).rounds(3);
    // The window is closed, so that nothing is begun either.
    world.set_window(false);
    world.change_node(|node| node.unschedulable = false);
    let world = world.until(Phase::Pending).rounds(60);
    assert_eq!(world.maintenance.phase, Phase::Pending);
    assert!(!world.the_node().unschedulable);
    assert_eq!(
        world.latest(),
        Some((OperationResult::Failed, "ExternalUncordon"))
    );
}

/// An agent that was started again has tried once more meanwhile, for instance.
#[test]
fn a_daemon_that_is_given_up_once_more_on_a_node_that_is_out_of_service_changes_no_last_word() {
    let mut world = served();
    given_up(&mut world);
    let mut world = world.until(Phase::Quarantined).rounds(3);
    world.daemon.as_mut().unwrap().given_up = Some(at(300));
    let mut world = world.rounds(3);
    world.set_window(false);
    world.change_node(|node| node.unschedulable = false);
    let world = world.until(Phase::Pending).rounds(60);
    assert_eq!(world.maintenance.phase, Phase::Pending);
    assert!(!world.the_node().unschedulable);
}

#[test]
fn a_node_that_nobody_wants_to_serve_any_more_is_released() {
    let mut world = served();
    given_up(&mut world);
    let mut world = world.until(Phase::Quarantined).rounds(3);
    world.wants(Want::Nothing);
    let world = world.until(Phase::Unmanaged).rounds(2);
    assert!(!world.the_node().unschedulable);
}

/// Such as a cordon for a daemon that was given up whose reason nobody wrote down in time.
#[test]
fn a_node_that_has_to_be_cleaned_up_first_is_quarantined_then() {
    let mut world = served();
    given_up(&mut world);
    world.agent_acts();
    world.operator_reads();
    world.operator_acts(1);
    assert!(world.the_node().operation.is_some() && world.maintenance.phase == Phase::InSync);
    let world = world.until(Phase::Quarantined);
    assert_eq!(world.says("Quarantined").unwrap().0, "MpsCrashLooping");
}

#[test]
fn people_keep_a_node_from_quarantine_only_for_as_long_as_they_say_so() {
    for held in [true, false] {
        let mut world = served();
        if held {
            world.change_node(|node| node.hold = true);
        } else {
            world.policy.paused = true;
        }
        given_up(&mut world);
        let mut world = world.rounds(5);
        assert_eq!(world.maintenance.phase, Phase::Pending);
        assert!(!world.the_node().unschedulable);
        world.policy.paused = false;
        world.change_node(|node| node.hold = false);
        let world = world.rounds(5);
        assert_eq!(world.maintenance.phase, Phase::Quarantined);
    }
}

#[test]
fn nvidias_own_daemon_has_to_leave_the_node_before_ours_is_asked_for() {
    let mut world = World::new();
    world.daemon = Some(daemon(MpsState::Absent));
    world.wants(Want::Served);
    world.crowds(1);
    world.pods.last_mut().unwrap().is_mps_daemon = true;
    let mut world = world.rounds(5);
    let (reason, message) = world.says("MaintenancePending").unwrap();
    assert_eq!(reason, "TwoMpsOwners");
    assert!(
        message.contains(&world.pods.last().unwrap().name()),
        "{message}"
    );
    assert!(!world.the_node().unschedulable && world.evicted.is_empty());
    world.pods.last_mut().unwrap().finished = true;
    world.until(Phase::Preparing);
}

#[test]
fn nvidias_own_daemon_is_nobodys_business_where_nothing_is_served_through_mps() {
    let mut world = World::changing();
    world.crowds(1);
    world.pods.last_mut().unwrap().is_mps_daemon = true;
    world.until(Phase::Preparing);
}

#[test]
fn nvidias_own_daemon_that_comes_to_a_served_node_is_told_once_and_named_until_it_leaves() {
    let mut world = served();
    let condition = |world: &World| {
        let found = conditions::find(&world.maintenance.conditions, "MpsContested")?;
        Some((found.status.clone(), found.message.clone()))
    };
    assert!(wants_pods(&world.maintenance));
    assert_eq!(condition(&world), None);
    let soon = Next::At(world.now + SignedDuration::from_mins(1));
    assert_eq!(world.look().step(world.now).next, soon);
    world.crowds(1);
    world.pods[0].is_mps_daemon = true;
    let mut world = world.rounds(3);
    let (status, message) = condition(&world).unwrap();
    assert_eq!(status, "True");
    assert!(message.contains(&world.pods[0].name()), "{message}");
    assert_eq!(told(&world, "TwoMpsOwners"), 1);

    let mut unseen = world.look();
    unseen.pods.clear();
    assert_eq!(unseen.step(world.now).status, world.maintenance);

    world.pods[0].finished = true;
    let mut world = world.rounds(2);
    assert_eq!(condition(&world).unwrap().0, "False");
    world.wants(Want::Nothing);
    let world = world.until(Phase::Unmanaged).rounds(2);
    assert!(!wants_pods(&world.maintenance));
}

#[test]
fn an_agent_that_may_not_run_the_daemon_is_not_asked_for_it() {
    let mut world = served();
    world.daemon = None;
    world.gpu.mps = None;
    let world = world.rounds(3);
    let (reason, message) = world.says("MaintenancePending").unwrap();
    assert_eq!(reason, "MpsNotEnabled");
    assert!(message.contains("agent.mps.enabled=true"), "{message}");
    assert!(!world.the_node().unschedulable);
}
