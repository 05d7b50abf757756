//! The long tail: an operator's clock that is wrong by years, names of every legal shape, every answer to an eviction,
//! and whatever an agent may say. No step panics or breaks a rule, and the node settles within a day once the clock is
//! right and everybody does what they should.

mod odd;

use crds::gpu_node::AgentStage;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::fixtures::AFTER;
use super::properties::{check_settled, more_cases, settles};
use super::world::{Fault, Names, Want, World};
use crate::drain::Answer;
use crate::pod::{Controller, PodView, Protection};
use crate::windows::Schedule;

/// The longest that a node may take to settle once nothing is odd any more: a wait for jobs and some of the longest waits
/// between attempts. The wrong moments that an operator may have written are years away.
const SOON: SignedDuration = SignedDuration::from_hours(24);

/// A moment to which the operator's clock may jump.
#[derive(Clone, Copy, Debug)]
enum Moment {
    Right,
    Deadline,
    Start,
    PhaseStart,
    NextAttempt,
    WindowEdge,
    At(Timestamp),
}

/// Whose operation an agent may speak of.
#[derive(Clone, Copy, Debug)]
enum Whose {
    /// So many after the one that is under way.
    After(i64),
    Asked,
    Exactly(i64),
}

#[derive(Clone, Debug)]
enum OddPod {
    Protected(Protection),
    Finalizers(Vec<String>),
    Grace(i64),
    Nobodys,
    OfDaemonSet,
    KeepsData,
    Finished,
    Batch,
}

#[derive(Clone, Debug)]
enum Odd {
    Rounds(u8),
    Passes(i64),
    Clock(Moment, i64),
    OperatorReads,
    OperatorActs,
    OperatorDies,
    DeposedReads,
    DeposedActs,
    Answer(Option<Answer>, bool),
    Lie(Whose, AgentStage, Option<String>),
    AgentWords(String),
    AgentTrouble(Option<String>),
    AgentIsUp(bool),
    AgentFails(Fault),
    Pod(usize, OddPod),
    Crowd(usize),
    BindsLate,
    PodsNeverEnd(bool),
    Schedule(Option<Schedule>),
    Retry(String),
    Mark(i64),
    Wants(Want),
}

fn perform(world: &mut World, odd: Odd) {
    match odd {
        Odd::Rounds(count) => (0..count).for_each(|_| world.round()),
        Odd::Passes(seconds) => world.pass(seconds),
        Odd::Clock(moment, seconds) => {
            let moment = moment_of(world, moment) + SignedDuration::from_secs(seconds);
            world.ahead = moment.duration_since(world.now);
        }
        Odd::OperatorReads => world.operator_reads(),
        Odd::OperatorActs => {
            world.operator_acts(u32::MAX);
        }
        Odd::OperatorDies => world.operator_dies(),
        Odd::DeposedReads => world.deposed_reads(),
        Odd::DeposedActs => world.deposed_acts(),
        Odd::Answer(answer, is_wrong) => {
            world.answer = answer;
            world.answer_is_wrong = is_wrong;
        }
        Odd::Lie(whose, stage, error) => {
            let id = id_of(world, whose);
            world.agent_lies(id, stage, error);
        }
        Odd::AgentWords(words) => world.agent_words = Some(words),
        Odd::AgentTrouble(trouble) => world.agent_trouble = trouble,
        Odd::AgentIsUp(is_up) => world.agent_is_up = is_up,
        Odd::AgentFails(fault) => world.fault = Some(fault),
        Odd::Pod(place, odd) => {
            let count = world.pods.len().max(1);
            if let Some(pod) = world.pods.get_mut(place % count) {
                becomes(pod, odd);
            }
        }
        Odd::Crowd(count) => world.crowds(count),
        Odd::BindsLate => world.binds_late(),
        Odd::PodsNeverEnd(never) => world.pods_never_end = never,
        Odd::Schedule(schedule) => world.schedule = schedule,
        Odd::Retry(value) => world.change_node(|node| node.retry = Some(value)),
        Odd::Mark(operation) => world.change_node(|node| node.operation = Some(operation)),
        Odd::Wants(want) => world.wants(want),
    }
    world.check_world();
}

fn moment_of(world: &World, moment: Moment) -> Timestamp {
    let status = &world.maintenance;
    let known = match moment {
        Moment::Right => None,
        Moment::Deadline => status.deadline.as_ref().map(|it| it.0),
        Moment::Start => status.started_at.as_ref().map(|it| it.0),
        Moment::PhaseStart => status.phase_since.as_ref().map(|it| it.0),
        Moment::NextAttempt => status.next_attempt.as_ref().map(|it| it.0),
        Moment::WindowEdge => world
            .schedule
            .as_ref()
            .and_then(|schedule| schedule.next_boundary(world.clock())),
        Moment::At(moment) => Some(moment),
    };
    known.unwrap_or(world.now)
}

fn id_of(world: &World, whose: Whose) -> i64 {
    let own = world.maintenance.operation_id;
    match whose {
        Whose::After(count) => own.saturating_add(count),
        Whose::Asked => world.spec.operation.as_ref().map_or(own, |asked| asked.id),
        Whose::Exactly(id) => id,
    }
}

fn becomes(pod: &mut PodView, odd: OddPod) {
    match odd {
        OddPod::Protected(protection) => pod.protection = protection,
        OddPod::Finalizers(finalizers) => pod.finalizers = finalizers,
        OddPod::Grace(seconds) => pod.own_grace = seconds,
        OddPod::Nobodys => pod.controller = Controller::None,
        OddPod::OfDaemonSet => pod.controller = Controller::DaemonSet,
        OddPod::KeepsData => pod.empty_dir = true,
        OddPod::Finished => pod.finished = true,
        OddPod::Batch => {
            pod.labels.insert("kind".to_owned(), "batch".to_owned());
        }
    }
}

/// A node in sync with the layout before, in a world where things are called so.
fn world(names: Names) -> World {
    let mut world = World::new();
    world.names = names;
    world.admin_deletes_node();
    world.make_node();
    for start in [0, 1, 2] {
        world.bind(&format!("MIG-{start}"));
    }
    settles(&mut world);
    world
}

proptest! {
    // Each case is many times as long as those of the other properties.
    #![proptest_config(ProptestConfig { cases: more_cases().cases / 4, ..more_cases() })]

    #[test]
    fn whatever_is_odd_on_the_way_the_node_settles_soon_and_no_rule_is_broken(
        names in odd::names(),
        policy in odd::policy(),
        odds in prop::collection::vec(odd::odd(), 0..150),
    ) {
        let mut world = world(names);
        world.policy = policy;
        world.checks_scope = false;
        world.wants(Want::Layout(AFTER));
        for odd in odds {
            perform(&mut world, odd);
        }
        let before = world.now;
        settles(&mut world);
        check_settled(&mut world);
        let took = world.now.duration_since(before);
        prop_assert!(took <= SOON, "it took {took:?}: {:#?}", world.maintenance);
    }
}
