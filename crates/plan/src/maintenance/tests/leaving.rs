//! The operator is being uninstalled.

use crds::gpu_node::Phase;

use super::world::{Fault, Want, World};
use crate::maintenance::{Effect, Leaving, leaving};
use crate::node::NodeView;
use crate::reason::Reason;

fn marked(hold: bool) -> NodeView {
    NodeView {
        unschedulable: true,
        operation: Some(17),
        hold,
        ..NodeView::default()
    }
}

fn is_let_go(leaving: &Leaving) -> bool {
    match leaving {
        Leaving::LetGo(Effect::Uncordon { schedulable, .. }, event) => {
            !schedulable && event.reason == Reason::LeftCordoned
        }
        Leaving::LetGo(..) | Leaving::Done | Leaving::UnderWay => false,
    }
}

#[test]
fn only_what_nobody_else_will_unmark_is_let_go_of_and_it_stays_cordoned() {
    for (phase, hold, expected) in [
        (Some(Phase::Quarantined), false, true),
        (Some(Phase::Releasing), true, true),
        (Some(Phase::Uncordoning), true, true),
        (Some(Phase::Pending), true, true),
        (None, true, true),
        (Some(Phase::Releasing), false, false),
        (Some(Phase::Uncordoning), false, false),
        (Some(Phase::Draining), true, false),
        (Some(Phase::Repartitioning), true, false),
        (Some(Phase::Validating), true, false),
        (Some(Phase::InSync), false, false),
        (None, false, false),
    ] {
        let found = leaving(&marked(hold), phase);
        assert_eq!(is_let_go(&found), expected, "{phase:?}, held: {hold}");
        assert_ne!(found, Leaving::Done, "{phase:?}, held: {hold}");
    }
}

#[test]
fn a_node_without_marker_promise_and_operation_is_done() {
    let bare = NodeView::default();
    let mut promises = NodeView::default();
    promises
        .guarantees
        .insert("strategy".to_owned(), "mig".to_owned());
    for (node, phase, expected) in [
        (&bare, None, Leaving::Done),
        (&bare, Some(Phase::Unmanaged), Leaving::Done),
        (&bare, Some(Phase::Quarantined), Leaving::Done),
        (&bare, Some(Phase::Preparing), Leaving::UnderWay),
        (&bare, Some(Phase::Releasing), Leaving::UnderWay),
        (&promises, Some(Phase::InSync), Leaving::UnderWay),
    ] {
        assert_eq!(leaving(node, phase), expected, "{phase:?}");
    }
}

/// Plays the end: no policy is in force, and what nobody gives back is let go of.
fn wind_down(mut world: World) -> World {
    world.wants(Want::Nothing);
    for _ in 0..2_000 {
        let node = world.the_node().clone();
        match leaving(&node, Some(world.maintenance.phase)) {
            Leaving::Done => return world,
            Leaving::UnderWay => {}
            Leaving::LetGo(..) => world.change_node(|node| node.operation = None),
        }
        world.round();
    }
    panic!("never ends: {:#?}", world.maintenance);
}

#[test]
fn from_every_phase_no_marker_is_left_and_only_our_cordon_is_undone() {
    for phase in [
        Phase::Pending,
        Phase::Preparing,
        Phase::Cordoning,
        Phase::Draining,
        Phase::Repartitioning,
        Phase::Validating,
        Phase::Uncordoning,
        Phase::InSync,
    ] {
        for rounds in [0, 1, 2] {
            let world = wind_down(World::changing().until(phase).rounds(rounds));
            assert!(!world.the_node().unschedulable, "{phase:?}");
            let mut world = World::changing();
            world.admin_cordons();
            let world = wind_down(world.until(phase).rounds(rounds));
            assert!(world.the_node().unschedulable, "{phase:?}");
        }
    }
}

#[test]
fn gpus_that_a_person_must_look_at_keep_their_cordon_and_an_agent_that_is_gone_does_not_hold_it_up()
{
    let mut world = World::changing();
    world.fault = Some(Fault::CreateAndRollBack);
    let world = wind_down(world.until(Phase::Quarantined));
    assert!(world.the_node().unschedulable);

    let mut world = World::changing().until(Phase::Repartitioning).rounds(2);
    world.agent_is_up = false;
    let world = wind_down(world);
    assert!(world.the_node().unschedulable);
    assert_eq!(world.maintenance.phase, Phase::Quarantined);
}
