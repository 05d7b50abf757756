//! Whatever happens on the way, when the world becomes fair again the node settles, and no step ever breaks a rule.

use crds::gpu_node::Phase;
use proptest::prelude::*;

use super::fixtures::{AFTER, BEFORE, OTHER};
use super::world::{Fault, Want, World};
use crate::maintenance::Next;

#[derive(Clone, Copy, Debug)]
enum Action {
    /// Everybody acts once, a second passes.
    Round,
    OperatorReads,
    OperatorActs,
    OperatorDiesAfter(u32),
    DeposedReads,
    DeposedActs,
    AgentReads,
    AgentGoesOn,
    AgentDies,
    AgentReturns,
    AgentWillFail(Fault),
    PluginActs,
    ConfigsAreLost,
    PodsEnd,
    BindsLate,
    /// This pod, by its place in the list, is one that leaves last.
    IsCritical(usize),
    Budget(bool),
    AdminCordons,
    AdminUncordons,
    Hold(bool),
    Retry(u8),
    NodeIsDeleted,
    NodeIsMade,
    Window(bool),
    Wants(Want),
    Valid(bool),
    Paused(bool),
    DryRun(bool),
    Time(i64),
}

fn action() -> impl Strategy<Value = Action> {
    let wants = prop_oneof![
        6 => Just(Want::Layout(AFTER)),
        1 => Just(Want::Layout(BEFORE)),
        1 => Just(Want::Layout(OTHER)),
        1 => Just(Want::Nothing),
        1 => Just(Want::Impossible),
    ];
    let fault = prop_oneof![
        Just(Fault::Refuse),
        Just(Fault::Create),
        Just(Fault::CreateAndRollBack)
    ];
    let rarely = || prop::bool::weighted(0.2);
    prop_oneof![
        60 => Just(Action::Round),
        8 => Just(Action::OperatorReads),
        8 => Just(Action::OperatorActs),
        3 => (0..3_u32).prop_map(Action::OperatorDiesAfter),
        3 => Just(Action::DeposedReads),
        3 => Just(Action::DeposedActs),
        6 => Just(Action::AgentReads),
        6 => Just(Action::AgentGoesOn),
        1 => Just(Action::AgentDies),
        3 => Just(Action::AgentReturns),
        2 => fault.prop_map(Action::AgentWillFail),
        2 => Just(Action::PluginActs),
        1 => Just(Action::ConfigsAreLost),
        2 => Just(Action::PodsEnd),
        2 => Just(Action::BindsLate),
        2 => (0..4_usize).prop_map(Action::IsCritical),
        2 => rarely().prop_map(Action::Budget),
        1 => Just(Action::AdminCordons),
        1 => Just(Action::AdminUncordons),
        1 => rarely().prop_map(Action::Hold),
        1 => (0..4_u8).prop_map(Action::Retry),
        1 => prop_oneof![4 => Just(Action::NodeIsMade), 1 => Just(Action::NodeIsDeleted)],
        2 => prop::bool::weighted(0.8).prop_map(Action::Window),
        2 => wants.prop_map(Action::Wants),
        1 => prop::bool::weighted(0.8).prop_map(Action::Valid),
        1 => rarely().prop_map(Action::Paused),
        1 => rarely().prop_map(Action::DryRun),
        8 => prop_oneof![20 => Just(1), 10 => Just(6), 2 => Just(40), 1 => Just(700)].prop_map(Action::Time),
    ]
}

fn perform(world: &mut World, action: Action) {
    match action {
        Action::Round => {
            world.round();
        }
        Action::OperatorReads => world.operator_reads(),
        Action::OperatorActs => {
            world.operator_acts(u32::MAX);
        }
        Action::OperatorDiesAfter(writes) => {
            world.operator_acts(writes);
            world.operator_dies();
        }
        Action::DeposedReads => world.deposed_reads(),
        Action::DeposedActs => world.deposed_acts(),
        Action::AgentReads => world.agent_reads(),
        Action::AgentGoesOn => world.agent_goes_on(),
        Action::AgentDies => world.agent_is_up = false,
        Action::AgentReturns => {
            world.agent_is_up = true;
            world.agent_saw = None;
        }
        Action::AgentWillFail(fault) => world.fault = Some(fault),
        Action::PluginActs => world.plugin_acts(),
        Action::ConfigsAreLost => world.configs.clear(),
        Action::PodsEnd => world.pods_end(),
        Action::BindsLate => world.binds_late(),
        Action::IsCritical(place) => world.is_critical(place),
        Action::Budget(blocks) => world.budget_blocks = blocks,
        Action::AdminCordons => world.admin_cordons(),
        Action::AdminUncordons => world.admin_uncordons(),
        Action::Hold(hold) => world.change_node(|node| node.hold = hold),
        Action::Retry(value) => world.change_node(|node| node.retry = Some(value.to_string())),
        Action::NodeIsDeleted => world.admin_deletes_node(),
        Action::NodeIsMade => {
            if world.node.is_none() {
                world.make_node();
            }
        }
        Action::Window(open) => world.set_window(open),
        Action::Wants(want) => world.wants(want),
        Action::Valid(valid) => world.valid = valid,
        Action::Paused(paused) => world.policy.paused = paused,
        Action::DryRun(dry) => world.policy.dry_run = dry,
        Action::Time(seconds) => world.pass(seconds),
    }
    world.check_world();
}

/// Everybody does what they should until nothing happens any more.
pub(super) fn settles(world: &mut World) {
    world.becomes_fair();
    let mut quiet = 0;
    for _ in 0..2_000 {
        let before = (
            world.writes,
            world.gpu_node_version,
            world.node_version,
            world.slot.clone(),
        );
        let next = world.everybody_acts();
        let is_quiet = before
            == (
                world.writes,
                world.gpu_node_version,
                world.node_version,
                world.slot.clone(),
            );
        match next {
            _ if !is_quiet => quiet = 0,
            Some(Next::Watch) => {
                quiet += 1;
                if quiet == 3 {
                    return;
                }
            }
            Some(Next::At(moment)) => world.now = moment.max(world.now),
            Some(Next::Poll) | None => world.pass(1),
        }
        if matches!(world.maintenance.phase, Phase::Preparing | Phase::Draining) {
            world.pass(1);
        }
    }
    panic!("never settles: {:#?}", world.maintenance);
}

/// At least 500; `PROPTEST_CASES` asks for more. A failure is written down by its test, not into a file.
pub(super) fn more_cases() -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig {
        cases: default.cases.max(500),
        failure_persistence: None,
        ..default
    }
}

proptest! {
    #![proptest_config(more_cases())]

    #[test]
    fn whatever_happens_the_node_settles_and_no_rule_is_broken(
        actions in prop::collection::vec(action(), 0..200),
    ) {
        let mut world = World::new();
        settles(&mut world);
        prop_assert_eq!(world.maintenance.phase, Phase::InSync);
        world.wants(Want::Layout(AFTER));
        for action in actions {
            perform(&mut world, action);
        }
        settles(&mut world);
        check_settled(&mut world);
        // A person may uncordon a quarantined node; the mark and the taint stay.
        let node = world.node.unwrap();
        let is_kept = node.operation.is_some() && node.tainted;
        prop_assert!(is_kept || world.maintenance.phase != Phase::Quarantined);
    }
}

pub(super) fn check_settled(world: &mut World) {
    let node = world.node.clone().expect("the fair world has a node");
    match world.maintenance.phase {
        Phase::Unmanaged => assert_eq!(world.want, Want::Nothing),
        Phase::InSync => assert!(matches!(world.want, Want::Layout(_))),
        Phase::Pending => assert_eq!(world.want, Want::Impossible),
        Phase::Quarantined => {}
        phase => panic!("settled in {phase:?}"),
    }
    if world.maintenance.phase != Phase::Quarantined {
        assert_eq!(node.operation, None, "a marker outlives its operation");
        assert_eq!(
            node.unschedulable, world.admin_keeps_it_cordoned,
            "a cordon outlives its operation"
        );
        assert!(!node.tainted);
        assert_eq!(world.spec.operation, None);
        assert_eq!(world.slot, None, "a slot outlives its operation");
    }
    let seen = world.look();
    let again = seen.step(world.now);
    assert_eq!(again.status, seen.maintenance, "not silent");
    assert!(
        again.effects.is_empty() && again.events.is_empty() && again.pod_events.is_empty(),
        "not silent: {again:?}"
    );
}
