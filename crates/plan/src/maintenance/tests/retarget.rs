//! The policy comes to ask for something else while the node is cordoned and nothing is destroyed yet.

use crds::gpu_node::{OperationResult, OperationStage, Phase};
use serde_json::json;

use super::fixtures::{BEFORE, OTHER};
use super::world::{Fault, Want, World};

/// What somebody says.
type Word = fn(&mut World);

/// Pods do not end, so that the node stays in phase `Draining`.
fn draining() -> World {
    let mut world = World::changing();
    world.pods_never_end = true;
    world.until(Phase::Draining).rounds(2)
}

/// Lets everybody act until the node is given back; it is cordoned until then.
fn until_given_back(mut world: World) -> World {
    while world.maintenance.phase != Phase::InSync {
        let is_kept = world.the_node().unschedulable;
        assert!(is_kept || world.maintenance.phase == Phase::Uncordoning);
        world.pods_never_end = false;
        world.round();
    }
    world
}

/// How often somebody was told of a cordon that went astray.
fn strays(world: &World) -> usize {
    let told = |event: &&&str| matches!(**event, "OrphanCordonReleased" | "ExternalUncordon");
    world.events.iter().filter(told).count()
}

fn layout(world: &World) -> Vec<(&str, i32)> {
    let slices = world.gpu.instances.iter();
    slices
        .map(|slice| (slice.profile.as_str(), slice.start))
        .collect()
}

#[test]
fn the_next_operation_takes_over_the_cordon_from_every_phase_before_the_point_of_no_return() {
    let mut waiting = World::changing();
    waiting.policy.maintenance.drain.wait_for_completion =
        serde_json::from_value(json!({"podSelector": {}, "timeout": "1h"})).unwrap();
    let worlds = vec![
        World::changing().until(Phase::Cordoning).rounds(1),
        waiting.until(Phase::WaitingJobs),
        draining(),
        World::changing().until(Phase::Repartitioning),
    ];
    for mut world in worlds {
        let first = world.maintenance.operation_id;
        let phase = world.maintenance.phase;
        world.policy.maintenance.drain.wait_for_completion = None;
        world.wants(Want::Layout(OTHER));
        let world = until_given_back(world);
        assert_eq!(layout(&world), OTHER, "{phase:?}");
        let ended: Vec<_> = world
            .maintenance
            .history
            .iter()
            .map(|it| (it.id, it.result))
            .collect();
        assert_eq!(
            ended,
            [
                (first + 1, OperationResult::Succeeded),
                (first, OperationResult::Released)
            ],
            "{phase:?}"
        );
        assert_eq!(strays(&world), 0, "{phase:?}: {:?}", world.events);
        assert!(!world.the_node().unschedulable);
        assert_eq!(world.rounds(2).slot, None);
    }
}

#[test]
fn a_wish_that_is_taken_back_gives_the_node_back_and_no_slice_is_touched() {
    let mut world = draining();
    let slices = world.gpu.instances.clone();
    world.wants(Want::Layout(BEFORE));
    let world = world.until(Phase::Releasing).until(Phase::InSync);
    assert_eq!(world.gpu.instances, slices);
    assert!(!world.the_node().unschedulable);
    assert_eq!(
        world.latest(),
        Some((OperationResult::Released, "TargetChanged"))
    );
}

#[test]
fn an_agent_that_began_in_the_same_moment_finishes_and_the_next_wish_is_another_operation() {
    let mut world = World::changing().until(Phase::Repartitioning).rounds(1);
    world.wants(Want::Layout(OTHER));
    // The agent has read the go-ahead, and says `Destroying` before the operator can take it back.
    world.operator_reads();
    world.agent_acts();
    world.operator_acts(u32::MAX);
    let world = world.until(Phase::Uncordoning).until(Phase::Preparing);
    let world = world.until(Phase::InSync);
    assert_eq!(layout(&world), OTHER);
    let results: Vec<_> = world
        .maintenance
        .history
        .iter()
        .map(|it| it.result)
        .collect();
    assert_eq!(results, [OperationResult::Succeeded; 2]);
}

#[test]
fn a_go_ahead_is_taken_back_before_anything_else_is_asked_for() {
    let mut world = World::changing().until(Phase::Repartitioning).rounds(1);
    let first = world.maintenance.operation_id;
    world.wants(Want::Layout(OTHER));
    world.operator_reads();
    world.operator_acts(u32::MAX);
    let asked = world.spec.operation.clone().unwrap();
    assert_eq!((asked.id, asked.stage), (first, OperationStage::Abort));
    assert_eq!(world.maintenance.operation_id, first);
    let world = until_given_back(world);
    assert_eq!(layout(&world), OTHER);
    assert_eq!(world.maintenance.operation_id, first + 1);
}

#[test]
fn what_keeps_a_first_operation_from_beginning_gives_the_node_back() {
    let words: [(&str, Word); 5] = [
        ("paused", |world| world.policy.paused = true),
        ("held", |world| {
            world.change_node(|node| node.hold = true);
        }),
        ("too late", |world| world.set_window(true)),
        ("a canary goes first", |world| {
            world.policy.maintenance.canary =
                serde_json::from_value(json!({"nodes": 1, "soak": "10m"})).unwrap();
        }),
        ("no policy", |world| world.want = Want::Nothing),
    ];
    for (word, say) in words {
        let mut world = draining();
        let first = world.maintenance.operation_id;
        world.wants(Want::Layout(OTHER));
        say(&mut world);
        if word == "too late" {
            world.pass(59 * 60);
        }
        let world = world.until(Phase::Releasing);
        assert_eq!(world.maintenance.operation_id, first, "{word}");
        let outcome = world.maintenance.outcome.unwrap();
        assert_eq!(outcome.reason, "TargetChanged", "{word}");
    }
}

#[test]
fn nobody_is_evicted_while_a_new_generation_is_not_checked_yet() {
    let mut world = draining();
    world.valid = false;
    world.wants(Want::Layout(OTHER));
    let sent = world.evictions.len();
    let mut world = world.rounds(20);
    assert_eq!(world.maintenance.phase, Phase::Draining);
    assert_eq!(world.evictions.len(), sent);
    world.valid = true;
    let world = until_given_back(world);
    assert_eq!(layout(&world), OTHER);

    let mut world = draining();
    world.valid = false;
    world.wants(Want::Layout(OTHER));
    let world = world.until(Phase::Releasing);
    assert_eq!(world.maintenance.outcome.unwrap().reason, "TargetChanged");
}

#[test]
fn a_person_who_uncordons_the_node_in_between_is_not_fought() {
    let mut world = draining();
    world.wants(Want::Layout(OTHER));
    world.agent_is_up = false;
    let mut world = world.until(Phase::Preparing);
    world.admin_uncordons();
    let world = world.until(Phase::Releasing).until(Phase::Pending);
    assert!(!world.the_node().unschedulable);
    assert_eq!(
        world.latest(),
        Some((OperationResult::Failed, "ExternalUncordon"))
    );
}

#[test]
fn a_next_operation_that_is_given_up_gives_back_the_node_that_it_took_over() {
    let mut world = draining();
    world.fault = Some(Fault::Refuse);
    world.wants(Want::Layout(OTHER));
    let world = world.until(Phase::Preparing).until(Phase::Pending);
    assert_eq!(
        world.latest(),
        Some((OperationResult::Failed, "AgentRefused"))
    );
    assert!(!world.the_node().unschedulable);
    assert_eq!(world.the_node().operation, None);
    assert_eq!(strays(&world), 0, "{:?}", world.events);
}
