//! The operator's clock was wrong for a while: what it wrote then must not be waited for until that moment comes.

use crds::gpu_node::{AgentStage, OperationResult, Phase};
use jiff::SignedDuration;

use super::world::{Fault, Want, World};
use crate::conditions;

const YEAR: SignedDuration = SignedDuration::from_hours(24 * 365);

#[test]
fn a_phase_that_began_next_year_begins_now_and_lasts_as_long_as_any() {
    let mut world = World::changing();
    world.budget_blocks = true;
    world.ahead = YEAR;
    let mut world = world.until(Phase::Draining);
    world.ahead = SignedDuration::ZERO;
    let mut world = world.rounds(1);
    let status = &world.maintenance;
    let until = status.deadline.as_ref().unwrap().0;
    let left = until.duration_since(world.now);
    assert!(left <= SignedDuration::from_mins(10), "{left:?}");
    let sentence = status.waiting_for.as_deref().unwrap();
    assert!(sentence.contains(&until.to_string()), "{sentence}");
    assert!(status.started_at.as_ref().unwrap().0 <= world.now);

    world.budget_blocks = false;
    let begun = world.now;
    let world = world.until(Phase::InSync);
    let took = world.now.duration_since(begun);
    assert!(took < SignedDuration::from_mins(2), "{took:?}");
}

#[test]
fn a_quiet_period_that_began_next_year_begins_now() {
    let mut world = World::changing().until(Phase::Draining);
    while world
        .maintenance
        .drain
        .as_ref()
        .unwrap()
        .quiet_since
        .is_none()
    {
        world.round();
    }
    let drain = world.maintenance.drain.as_mut().unwrap();
    drain.quiet_since = Some(conditions::microseconds(world.now + YEAR));
    let begun = world.now;
    let world = world.until(Phase::Repartitioning);
    let took = world.now.duration_since(begun);
    assert!(took < SignedDuration::from_secs(10), "{took:?}");
}

#[test]
fn an_attempt_that_is_due_next_year_is_made_after_its_wait() {
    let mut world = World::changing();
    world.fault = Some(Fault::Refuse);
    world.ahead = YEAR;
    let mut world = world.until(Phase::Releasing).until(Phase::Pending);
    assert_eq!(world.latest().unwrap().0, OperationResult::Failed);
    world.ahead = SignedDuration::ZERO;
    let world = world.rounds(1);
    let next = world.maintenance.next_attempt.as_ref().unwrap().0;
    let wait = next.duration_since(world.now);
    assert!(wait <= SignedDuration::from_mins(5), "{wait:?}");
    let (_, sentence) = world.says("MaintenancePending").unwrap();
    assert!(sentence.contains(&next.to_string()), "{sentence}");
    world.until(Phase::InSync);
}

/// The canary's soak goes by it, and so does the order in which operations failed.
#[test]
fn an_operation_that_ended_next_year_ended_now() {
    let mut world = World::changing();
    world.ahead = YEAR;
    let mut world = world.until(Phase::Preparing).until(Phase::InSync);
    world.ahead = SignedDuration::ZERO;
    let ended = |world: &World| world.maintenance.history[0].finished_at.0;
    assert!(ended(&world) > world.now);
    world.round();
    let (first, now) = (ended(&world), world.now);
    assert!(first <= now, "{first}");
    assert!(world.maintenance.history[0].started_at.0 <= first);
    let world = world.rounds(10);
    assert_eq!(ended(&world), first, "and from now on it stays so");
}

#[test]
fn a_node_that_is_given_back_is_told_late_by_the_clock_as_it_is() {
    let mut world = World::changing().until(Phase::Draining);
    world.wants(Want::Nothing);
    let mut world = world.until(Phase::Releasing);
    world.maintenance.deadline = Some(conditions::seconds(world.now + YEAR));
    let seen = world.look();
    let until = seen.step(world.now).status.deadline.unwrap().0;
    let left = until.duration_since(world.now);
    assert!(left <= SignedDuration::from_mins(2), "{left:?}");
}

/// Two operators that take over from each other: their clocks are never quite the same.
#[test]
fn a_moment_ahead_is_nothing_to_be_set_right() {
    let mut world = World::changing();
    world.budget_blocks = true;
    world.ahead = SignedDuration::from_secs(30);
    let mut world = world.until(Phase::Draining);
    let before = world.maintenance.clone();
    world.ahead = SignedDuration::ZERO;
    let world = world.rounds(1);
    let after = &world.maintenance;
    assert_eq!(before.phase_since, after.phase_since);
    assert_eq!(before.deadline, after.deadline);
}

/// Operations are numbered by the second in which they are admitted, and an agent may say anything.
#[test]
fn an_operation_that_no_clock_can_have_numbered_is_not_learned_of() {
    let mut world = World::changing();
    world.agent_lies(i64::MAX, AgentStage::Done, None);
    world.operator_reads();
    world.operator_acts(u32::MAX);
    assert_eq!(world.maintenance.operation_id, 0);
    world.until(Phase::Preparing).until(Phase::InSync);
}
