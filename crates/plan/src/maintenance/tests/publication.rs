//! The device plugin is told of a configuration when the kubelets have had the time to bring it there, and not before.

use crds::gpu_node::{MpsDaemon, MpsState, OperationResult, Phase};
use jiff::{SignedDuration, Timestamp};

use super::fixtures::{self, AFTER, BEFORE};
use super::world::{Want, World};
use crate::maintenance::{Limits, Next};
use crate::plugin_config::{self, Entry};

/// What people say, or how the world is.
type Word = fn(&mut World);

const DELAY: SignedDuration = SignedDuration::from_secs(90);
const YEAR: SignedDuration = SignedDuration::from_hours(24 * 365);

/// A change is wanted that needs a configuration which nobody has published yet.
fn planned() -> World {
    let mut world = World::changing();
    world.configs.clear();
    world
}

/// Only the plugin is to be told, of something that nobody has published yet.
fn only_to_be_told() -> World {
    let mut world = World::in_sync();
    world.change_node(|node| node.plugin_config = Some("theirs".to_owned()));
    world.configs.clear();
    world
}

/// The change is done, and the plugin is to be told of what was published a moment ago.
fn done_too_early() -> World {
    let mut world = World::changing().until(Phase::Repartitioning);
    world.configs.clear();
    world.until(Phase::Validating).rounds(2)
}

fn publications(world: &World) -> Vec<&str> {
    world.configs.keys().map(String::as_str).collect()
}

#[test]
fn a_change_that_waits_has_its_configuration_published_unless_people_want_nothing_done() {
    let cases: [(&str, bool, Word); 6] = [
        ("WindowClosed", true, |world| world.set_window(false)),
        ("HeldByUser", true, |world| {
            world.change_node(|node| node.hold = true);
        }),
        ("NodeNotReady", true, |world| {
            world.change_node(|node| node.ready = false);
        }),
        ("PolicyInvalid", false, |world| world.valid = false),
        ("Paused", false, |world| world.policy.paused = true),
        ("DryRun", false, |world| world.policy.dry_run = true),
    ];
    for (reason, is_published, word) in cases {
        let beginnings: [fn() -> World; 2] = [planned, only_to_be_told];
        for begin in beginnings {
            let mut world = begin();
            word(&mut world);
            let is_operation = world.want == Want::Layout(AFTER);
            let world = world.rounds(3);
            let waits = world.says("MaintenancePending").map(|(reason, _)| reason);
            let is_other = !is_operation && waits == Some("AwaitingKubelet");
            assert!(waits == Some(reason) || is_other, "{reason}: {waits:?}");
            assert_eq!(!world.configs.is_empty(), is_published, "{reason}");
        }
    }
}

#[test]
fn both_keys_of_a_configuration_are_published_but_never_the_one_that_the_label_names() {
    let mut world = planned();
    world.set_window(false);
    let told = world.the_node().plugin_config.clone().unwrap();
    let world = world.rounds(2);
    let keys = plugin_config::keys(&fixtures::target(AFTER));
    assert!(keys.contains(&told), "all layouts have one configuration");
    let others: Vec<_> = keys.iter().filter(|key| **key != told).collect();
    assert_eq!(publications(&world), others);

    let mut world = World::in_sync();
    world.wants(Want::Served);
    world.set_window(false);
    let world = world.rounds(2);
    for key in plugin_config::keys(&fixtures::served()) {
        assert!(world.configs.contains_key(&key), "{key}");
    }
}

#[test]
fn what_only_the_plugin_is_told_waits_for_the_kubelets_and_says_so_and_not_a_second_longer() {
    let mut world = only_to_be_told();
    world.round();
    let until = world.configs.values().next().unwrap().since.unwrap() + DELAY;
    assert_eq!(world.maintenance.phase, Phase::Pending);
    let key = publications(&world)[0].to_owned();
    let sentence = world.maintenance.waiting_for.clone().unwrap();
    let expected =
        format!("the kubelets to have configuration {key} until {until}: it was published at");
    assert!(sentence.starts_with(&expected), "{sentence}");
    assert_eq!(
        world.says("MaintenancePending").unwrap().0,
        "AwaitingKubelet"
    );
    assert!(world.events.is_empty(), "{:?}", world.events);

    let next = world.look().step(world.now).next;
    assert_eq!(next, Next::At(until));
    world.now = until - SignedDuration::from_nanos(1);
    assert_eq!(world.look().step(world.now).status.phase, Phase::Pending);
    world.now = until;
    let mut world = world.until(Phase::Validating);
    assert_eq!(world.now, until + SignedDuration::from_secs(1));
    world.plugin_is_up = false;
    let world = world.rounds(1);
    assert_eq!(world.the_node().plugin_config.as_ref(), Some(&key));
    let deadline = world.maintenance.deadline.clone().unwrap().0;
    let told = world.now - SignedDuration::from_secs(1);
    assert_eq!(deadline, told + Limits::default().validate);
}

#[test]
fn a_key_that_another_node_has_used_for_long_is_told_at_once() {
    let mut world = only_to_be_told();
    let content = plugin_config::render(&fixtures::target(BEFORE));
    for key in plugin_config::keys(&fixtures::target(BEFORE)) {
        let since = Some(world.now - DELAY);
        world.publish(&key, &content, since);
        world.published.insert(key, world.now - DELAY);
    }
    world.round();
    assert_eq!(world.maintenance.phase, Phase::Validating);
}

#[test]
fn what_nobody_has_noted_down_is_published_again_and_waited_for() {
    let mut world = only_to_be_told();
    let content = plugin_config::render(&fixtures::target(BEFORE));
    for key in plugin_config::keys(&fixtures::target(BEFORE)) {
        world.configs.insert(
            key,
            Entry {
                content: content.clone(),
                since: None,
            },
        );
    }
    world.round();
    assert_eq!(world.maintenance.phase, Phase::Pending);
    assert!(world.configs.values().all(|entry| entry.since.is_some()));
}

#[test]
fn an_operation_that_is_done_too_early_waits_for_the_kubelets_and_then_gives_the_plugin_all_its_time()
 {
    let mut world = done_too_early();
    let key = world.maintenance.plugin_config.clone().unwrap().key;
    let since = world.configs[&key].since.unwrap();
    let (until, validate) = (since + DELAY, Limits::default().validate);
    assert_ne!(world.the_node().plugin_config.as_ref(), Some(&key));
    let sentence = world.maintenance.waiting_for.clone().unwrap();
    let expected = format!(
        "the kubelets to have configuration {key} until {until}: it was published at {since}; after that the node to advertise"
    );
    assert!(sentence.starts_with(&expected), "{sentence}");
    assert_eq!(
        world.maintenance.deadline.clone().unwrap().0,
        until + validate
    );
    assert_eq!(world.look().step(world.now).next, Next::At(until));

    let mut stuck = world.clone();
    let told = world.until_after(until).until(Phase::InSync);
    assert!(told.now.duration_since(until) < SignedDuration::from_secs(20));
    assert_eq!(told.latest().unwrap().0, OperationResult::Succeeded);

    stuck.plugin_is_up = false;
    let stuck = stuck.until(Phase::Quarantined);
    let late = stuck.now.duration_since(until + validate);
    assert!(late <= SignedDuration::from_secs(2), "{late:?}");
}

#[test]
fn an_operator_that_was_away_for_an_hour_still_gives_the_plugin_all_its_time() {
    let waits = || only_to_be_told().until(Phase::Pending);
    let cases: [(fn() -> World, Phase); 2] =
        [(done_too_early, Phase::Validating), (waits, Phase::Pending)];
    for (begin, phase) in cases {
        let mut world = begin();
        assert_eq!(world.maintenance.phase, phase);
        world.pass(3600);
        world.plugin_is_up = false;
        world.change_node(|node| node.resources.clear());
        let world = world.rounds(5);
        assert_eq!(world.maintenance.phase, Phase::Validating);
        let left = world
            .maintenance
            .deadline
            .clone()
            .unwrap()
            .0
            .duration_since(world.now);
        assert!(left > SignedDuration::from_secs(290), "{left:?}");
    }
}

#[test]
fn a_clock_that_was_ahead_when_a_key_was_published_makes_nobody_wait_longer() {
    let mut world = only_to_be_told();
    world.ahead = YEAR;
    world.round();
    world.ahead = SignedDuration::ZERO;
    let begun = world.now;
    let world = world.until(Phase::Validating);
    let took = world.now.duration_since(begun);
    assert!(took <= DELAY + SignedDuration::from_secs(2), "{took:?}");
}

#[test]
fn an_entry_that_is_lost_before_the_label_names_it_is_published_and_waited_for_again() {
    let mut world = only_to_be_told().until(Phase::Validating);
    world.configs.clear();
    let world = world.rounds(2);
    assert_eq!(world.maintenance.phase, Phase::Pending);
    assert_eq!(world.the_node().plugin_config.as_deref(), Some("theirs"));
    world.until(Phase::InSync);
}

#[test]
fn what_a_rollback_would_tell_the_plugin_is_published_before_anything_is_touched() {
    let mut world = World::in_sync();
    world.wants(Want::Served);
    world.daemon = Some(MpsDaemon {
        state: MpsState::Absent,
        trouble: None,
        given_up: None,
        started_at: None,
        last_death: None,
    });
    world.configs.clear();
    let mut world = world.until(Phase::Preparing);
    world.agent_is_up = false;
    let world = world.rounds(1);
    let told = world.the_node().plugin_config.clone();
    let key = plugin_config::key(&fixtures::target(BEFORE), told.as_deref());
    let since = |key: &str| -> Option<Timestamp> { world.configs.get(key)?.since };
    assert!(since(&key).is_some(), "{:?}", world.configs);
}

#[test]
fn a_lost_entry_that_the_label_of_a_quarantined_node_names_is_published_again() {
    let mut world = World::changing().rounds(1);
    world.plugin_is_up = false;
    let mut world = world.until(Phase::Quarantined);
    world.configs.clear();
    let world = world.rounds(1);
    let told = world.the_node().plugin_config.as_ref().unwrap();
    assert!(world.configs.contains_key(told), "{:?}", world.configs);
}
