//! What disturbs no pod needs no slot, no window and no cordon.

use crds::gpu_node::{ChangeClass, Phase};

use super::world::World;

/// What a person says.
type Word = fn(&mut World);

/// In sync, and then the label of the node's device plugin is somebody else's.
fn relabelled() -> World {
    let mut world = World::in_sync();
    world.events.clear();
    world.change_node(|node| node.plugin_config = Some("theirs".to_owned()));
    world.publish("theirs", "version: v1", None);
    world
}

#[test]
fn only_the_configuration_changes_and_nobody_is_disturbed() {
    let mut world = relabelled();
    world.set_window(false);
    let operation = world.maintenance.operation_id;
    let world = world.until(Phase::Validating);
    assert_eq!(
        world.maintenance.plan.as_ref().unwrap().class,
        ChangeClass::ConfigOnly
    );
    assert!(world.maintenance.deadline.is_some());
    let world = world.until(Phase::InSync);
    assert_eq!(world.maintenance.operation_id, operation);
    assert!(world.slot.is_none() && world.evicted.is_empty());
    assert!(!world.the_node().unschedulable);
    assert!(world.events.is_empty(), "{:?}", world.events);
    assert_eq!(world.pods.len(), 3);
}

#[test]
fn another_generation_of_the_same_wish_is_noted_without_a_change_of_phase() {
    let mut world = World::in_sync();
    let (since, node) = (world.maintenance.phase_since.clone(), world.node_version);
    world.generation += 1;
    world.policy.paused = true;
    let mut world = world.rounds(3);
    assert_ne!(
        world.spec.policy,
        Some(super::fixtures::reference(world.generation))
    );
    world.policy.paused = false;
    let world = world.rounds(3);
    assert_eq!(
        world.spec.policy,
        Some(super::fixtures::reference(world.generation))
    );
    assert_eq!(world.maintenance.phase, Phase::InSync);
    assert_eq!(
        (world.maintenance.phase_since.clone(), world.node_version),
        (since, node)
    );
}

#[test]
fn an_entry_that_somebody_changed_is_published_anew_under_another_key() {
    let mut world = World::in_sync();
    let before = world.the_node().plugin_config.clone().unwrap();
    world.publish(&before, "version: v0", None);
    let world = world.until(Phase::Validating).until(Phase::InSync);
    assert_ne!(world.the_node().plugin_config, Some(before));
}

#[test]
fn promises_that_are_not_kept_are_withdrawn_and_made_again() {
    let mut world = World::in_sync();
    let promised = world.the_node().guarantees.clone();
    world.change_node(|node| {
        node.guarantees
            .insert(crds::names::LABEL_STRATEGY.to_owned(), "mps".to_owned());
    });
    let world = world.until(Phase::Validating).until(Phase::InSync);
    assert_eq!(world.the_node().guarantees, promised);
}

#[test]
fn nothing_is_changed_while_people_say_so() {
    let words: [(&str, Word); 4] = [
        ("PolicyInvalid", |world| world.valid = false),
        ("Paused", |world| world.policy.paused = true),
        ("DryRun", |world| world.policy.dry_run = true),
        ("HeldByUser", |world| {
            world.change_node(|node| node.hold = true);
        }),
    ];
    for (reason, say) in words {
        let mut world = relabelled();
        say(&mut world);
        let world = world.rounds(5);
        assert_eq!(world.says("MaintenancePending").unwrap().0, reason);
        assert_eq!(world.the_node().plugin_config.as_deref(), Some("theirs"));
        assert_eq!(
            world.maintenance.plan.unwrap().class,
            ChangeClass::ConfigOnly
        );
    }
}

#[test]
fn a_plugin_that_does_not_answer_is_told_again_later_and_the_node_says_what_differs() {
    let mut world = World::in_sync();
    world.plugin_is_up = false;
    world.change_node(|node| node.resources.clear());
    let mut world = world.until(Phase::Validating);
    let began = world.now;
    world = world.until(Phase::Pending);
    assert!(world.now.duration_since(began).as_secs() >= 300);
    let (reason, message) = world.says("MaintenancePending").unwrap();
    assert_eq!(reason, "NotAdvertised");
    assert!(
        message.contains("no GPU instead of 2 nvidia.com/mig-1g.5gb"),
        "{message}"
    );
    let next = world.maintenance.next_attempt.clone().unwrap().0;
    let key = world.the_node().plugin_config.clone();
    let mut world = world.until_after(next).until(Phase::Validating).rounds(3);
    assert_ne!(world.the_node().plugin_config, key, "told again");
    world.plugin_is_up = true;
    let world = world.until(Phase::InSync);
    assert_eq!(world.maintenance.attempts, 0);
}

#[test]
fn a_node_that_comes_under_a_policy_and_is_as_it_says_already_is_only_configured() {
    let world = World::new().until(Phase::Validating).until(Phase::InSync);
    assert!(world.maintenance.history.is_empty());
    assert_eq!(world.maintenance.operation_id, 0);
    assert_eq!(world.maintenance.verified, world.spec.target);
    assert_eq!(world.the_node().guarantees.len(), 5);
    assert_eq!(world.evicted.len(), 0);
}
