//! Whose cordon it is: the node as it is → the patch.

use super::super::ownership::{cordon, lost, orphaned, release_orphan, uncordon};
use super::world::World;
use crate::maintenance::Effect;
use crate::neighbours::MigManager;
use crate::node::NodeView;
use crate::reason::Reason;
use crds::gpu_node::Phase;
use std::collections::BTreeMap;

/// Marker, remembers an earlier cordon, unschedulable, last written by us.
fn node(marker: Option<i64>, pre_cordoned: bool, unschedulable: bool, ours: bool) -> NodeView {
    NodeView {
        operation: marker,
        pre_cordoned,
        unschedulable,
        cordon_is_ours: ours,
        ..NodeView::default()
    }
}

#[test]
fn a_cordon_remembers_what_was_there_before() {
    for (name, seen, remembered) in [
        ("schedulable", node(None, false, false, false), false),
        (
            "schedulable, once uncordoned by us",
            node(None, false, false, true),
            false,
        ),
        ("cordoned by somebody", node(None, false, true, false), true),
        (
            "cordoned by us without a mark",
            node(None, false, true, true),
            true,
        ),
        (
            "our own, left behind",
            node(Some(6), false, true, true),
            false,
        ),
        (
            "our mark, cordoned anew by somebody",
            node(Some(6), false, true, false),
            true,
        ),
        (
            "our mark on somebody's cordon",
            node(Some(6), true, true, false),
            true,
        ),
        (
            "our mark on somebody's cordon that is gone",
            node(Some(6), true, false, false),
            false,
        ),
    ] {
        let expected = Effect::Cordon {
            operation: 7,
            pre_cordoned: remembered,
        };
        assert_eq!(cordon(&seen, 7), expected, "{name}");
    }
}

#[test]
fn a_node_is_made_schedulable_only_by_who_made_it_unschedulable() {
    for (name, seen, schedulable) in [
        ("ours", node(Some(7), false, true, true), true),
        ("cordoned before", node(Some(7), true, true, true), false),
        (
            "cordoned anew by somebody",
            node(Some(7), false, true, false),
            false,
        ),
        ("both", node(Some(7), true, true, false), false),
    ] {
        let expected = Effect::Uncordon {
            schedulable,
            labels: BTreeMap::new(),
        };
        assert_eq!(uncordon(&seen, BTreeMap::new()), expected, "{name}");
    }
}

#[test]
fn a_cordon_is_lost_when_it_or_its_mark_is_not_ours_any_more() {
    for (name, seen, is_lost) in [
        ("ours", node(Some(7), false, true, true), false),
        (
            "on top of somebody's",
            node(Some(7), true, true, false),
            false,
        ),
        ("uncordoned", node(Some(7), false, false, false), true),
        ("unmarked", node(None, false, true, true), true),
        (
            "marked by another operation",
            node(Some(6), false, true, true),
            true,
        ),
        (
            "cordoned anew by somebody",
            node(Some(7), false, true, false),
            true,
        ),
    ] {
        assert_eq!(lost(&seen, 7).is_some(), is_lost, "{name}");
    }
}

#[test]
fn a_mark_without_an_operation_is_taken_off_unless_a_person_holds_the_node() {
    assert_eq!(release_orphan(&node(None, false, true, true)), None);
    let (effect, event) = release_orphan(&node(Some(3), false, true, true)).unwrap();
    assert_eq!(
        effect,
        uncordon(&node(Some(3), false, true, true), BTreeMap::new())
    );
    assert_eq!(event.reason, Reason::OrphanCordonReleased);
    let held = NodeView {
        hold: true,
        ..node(Some(3), false, true, true)
    };
    assert_eq!(release_orphan(&held), None);
}

#[test]
fn a_cordon_left_behind_is_released_by_the_next_look_at_a_settled_node() {
    let mut world = World::in_sync();
    world.change_node(|node| {
        node.operation = Some(3);
        node.unschedulable = true;
        node.cordon_is_ours = true;
        node.tainted = true;
    });
    let world = world.rounds(2);
    assert!(!world.the_node().unschedulable && !world.the_node().tainted);
    assert_eq!(world.the_node().operation, None);
    assert!(world.events.contains(&"OrphanCordonReleased"));
    assert_eq!(world.maintenance.phase, Phase::InSync);
}

#[test]
fn a_persons_cordon_outlives_the_operation() {
    let mut world = World::changing();
    world.admin_cordons();
    let world = world.until(Phase::Draining);
    assert!(world.the_node().pre_cordoned);
    let world = world.until(Phase::InSync);
    assert!(world.the_node().unschedulable);
    assert!(!world.the_node().tainted && world.the_node().operation.is_none());
    assert!(world.events.contains(&"ForeignCordonPreserved"));
}

/// While we are away a person uncordons the node, and later cordons it for reasons of their own: the mark is still ours.
#[test]
fn a_cordon_that_a_person_made_over_ours_outlives_the_operation() {
    for phase in [
        Phase::Draining,
        Phase::Validating,
        Phase::Uncordoning,
        Phase::Quarantined,
    ] {
        let mut world = World::changing();
        if phase == Phase::Quarantined {
            world.fault = Some(super::world::Fault::CreateAndRollBack);
        }
        let mut world = world.until(phase);
        world.operator_dies();
        world.admin_uncordons();
        world.admin_cordons();
        if phase == Phase::Quarantined {
            world.repairs_to(super::fixtures::AFTER);
        }
        world.round();
        let world = world.until_settled();
        assert!(world.the_node().unschedulable, "{phase:?}");
        assert_eq!(world.the_node().operation, None, "{phase:?}");
    }
}

#[test]
fn a_node_without_a_gpu_node_takes_pods_again_only_when_nvidias_programs_run() {
    let mut left = node(Some(3), false, true, true);
    left.neighbours.clients.paused = ["nvidia.com/gpu.deploy.device-plugin".to_owned()].into();
    left.neighbours.mig_manager = MigManager::TakenOver {
        before: None,
        is_intact: true,
    };
    let mut order = Vec::new();
    while let Some((effect, event)) = orphaned(&left) {
        order.push(event.reason);
        match effect {
            Effect::Label(_) => left.neighbours.clients.paused.clear(),
            Effect::Uncordon { .. } => left.operation = None,
            Effect::Remember { .. } => left.neighbours.mig_manager = MigManager::Away,
            other => panic!("{other:?}"),
        }
    }
    let expected = [
        Reason::GpuClientsResumed,
        Reason::OrphanCordonReleased,
        Reason::NodeGivenBack,
    ];
    assert_eq!(order, expected);
}
