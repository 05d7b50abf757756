//! Pods whose MPS daemon is gone are named for as long as they run.

use crds::gpu_node::{MpsDaemon, MpsProcess, MpsState, Phase};

use jiff::SignedDuration;

use super::fixtures::GPU;
use super::mps::{at, daemon, death, served, told};
use super::world::{Want, World};
use crate::conditions;
use crate::maintenance::mps::names_somebody;

/// Served, with a pod on the GPU that has run since this second, and a daemon that was started at that one.
fn with_a_pod(since: i64, started: i64) -> World {
    let mut world = served();
    world.bind(GPU);
    world.pods[0].gpu_since = Some(at(since).0);
    world.daemon = Some(MpsDaemon {
        started_at: Some(at(started)),
        ..daemon(MpsState::Running)
    });
    world
}

fn named(world: &World) -> Option<&str> {
    world.says("MpsClientsCutOff").map(|(_, message)| message)
}

#[test]
fn who_began_before_the_daemon_that_is_there_or_before_a_death_is_cut_off() {
    for (since, started, died, is_cut_off) in [
        (10, 5, None, false),
        (10, 10, None, false),
        (10, 20, None, true),
        (10, 5, Some(20), true),
        (10, 5, Some(10), false),
        (30, 20, Some(20), false),
        (21, 22, Some(20), true),
    ] {
        let mut world = with_a_pod(since, started);
        let last_death = died.map(|died| death(MpsProcess::Server, died));
        world.daemon.as_mut().unwrap().last_death = last_death;
        let world = world.rounds(2);
        let name = world.pods[0].name();
        let is_named = named(&world).is_some_and(|message| message.contains(&name));
        assert_eq!(is_named, is_cut_off, "{since} {started} {died:?}");
        assert_eq!(world.maintenance.phase, Phase::InSync);
    }
}

/// The kubelet says the second and no more.
#[test]
fn who_was_started_again_within_the_second_is_not_named() {
    let mut world = with_a_pod(10, 5);
    let mut died = death(MpsProcess::Server, 10);
    let later = died.at.0 + SignedDuration::from_millis(400);
    died.at = conditions::microseconds(later);
    world.daemon.as_mut().unwrap().last_death = Some(died);
    assert_eq!(named(&world.rounds(2)), None);
}

#[test]
fn who_does_not_run_or_has_no_gpu_of_the_daemon_is_not_named() {
    type Change = fn(&mut World);
    let changes: [(&str, Change); 4] = [
        ("finished", |world| world.pods[0].finished = true),
        ("its container does not run", |world| {
            world.pods[0].gpu_since = None;
        }),
        ("the kubelet has taken its GPU back", |world| {
            world.devices.clear();
        }),
        ("without a daemon", |world| world.daemon = None),
    ];
    for (what, change) in changes {
        let mut world = with_a_pod(10, 20);
        change(&mut world);
        let world = world.rounds(1);
        assert_eq!(named(&world), None, "{what}");
    }
}

#[test]
fn they_are_named_until_the_last_of_them_is_gone_or_was_started_again() {
    let mut world = with_a_pod(10, 20);
    world.bind(GPU);
    world.pods[1].gpu_since = Some(at(11).0);
    let mut world = world.rounds(2);
    let message = named(&world).unwrap().to_owned();
    let names: Vec<_> = world.pods.iter().map(crate::pod::PodView::name).collect();
    assert!(names.iter().all(|name| message.contains(name)), "{message}");
    assert!(names_somebody(&world.maintenance));

    world.pods[0].gpu_since = Some(at(21).0);
    let mut world = world.rounds(1);
    let message = named(&world).unwrap();
    assert!(!message.contains(&names[0]) && message.contains(&names[1]));

    let gone = world.pods.remove(1).reference.uid;
    world.devices.remove(&gone);
    let world = world.rounds(1);
    let condition = conditions::find(&world.maintenance.conditions, "MpsClientsCutOff").unwrap();
    assert_eq!(
        (condition.status.as_str(), condition.reason.as_str()),
        ("False", "MpsClientsConnected")
    );
    assert!(!names_somebody(&world.maintenance));
}

#[test]
fn they_are_told_once_and_not_beside_a_death_that_names_them() {
    let world = with_a_pod(10, 20).rounds(5);
    assert_eq!(told(&world, "MpsClientsCutOff"), 1);

    let mut world = with_a_pod(10, 5);
    world.daemon.as_mut().unwrap().last_death = Some(death(MpsProcess::Daemon, 20));
    let world = world.rounds(5);
    assert!(named(&world).is_some());
    assert_eq!(world.events, ["MpsDaemonDied"]);
}

#[test]
fn a_look_that_has_no_pods_changes_nothing_of_it() {
    let mut world = with_a_pod(10, 20).rounds(2);
    let mut seen = world.look();
    seen.pods.clear();
    let step = seen.step(world.now);
    assert_eq!(step.status, world.maintenance);
    assert_eq!(step.effects, []);
}

#[test]
fn they_are_named_where_no_policy_is_in_force_any_more_too_and_nothing_is_written_twice() {
    let mut world = with_a_pod(10, 20).rounds(2);
    world.wants(Want::Nothing);
    let world = world.until(Phase::Unmanaged).rounds(2);
    assert!(named(&world).is_some());
    let writes = world.writes;
    let world = world.rounds(5);
    assert_eq!(world.writes, writes);
}

#[test]
fn a_node_that_never_lost_a_client_has_no_such_condition() {
    let world = with_a_pod(10, 5).rounds(3);
    let found = conditions::find(&world.maintenance.conditions, "MpsClientsCutOff");
    assert_eq!(found, None);
}
