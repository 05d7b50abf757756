//! Beside NVIDIA's own managers: what is waited for, and whose node it is.

use crds::gpu_node::{AgentStage, OperationResult, Phase};

use super::fixtures::{self, AFTER};
use super::world::{Want, World};
use crate::maintenance::neighbours::hand_back;
use crate::maintenance::{Leaving, leaving};
use crate::neighbours::MigManager;
use crate::node::NodeView;
use crate::pod::Controller;

fn acts(is_busy: bool) -> MigManager {
    MigManager::Acts {
        evidence: "nvidia.com/gpu.deploy.mig-manager=true".to_owned(),
        deployed: Some("true".to_owned()),
        is_busy,
    }
}

/// A change is wanted on a node that MIG Manager has, by a policy that takes nodes over.
fn under_mig_manager(is_busy: bool) -> World {
    let mut world = World::changing();
    world.policy.take_over = true;
    world.change_node(|node| node.neighbours.mig_manager = acts(is_busy));
    world
}

fn is_taken(world: &World) -> bool {
    match world.the_node().neighbours.mig_manager {
        MigManager::TakenOver { .. } => true,
        MigManager::Acts { .. } | MigManager::KeptAway | MigManager::Away => false,
    }
}

fn upgrades(world: &mut World) {
    world.change_node(|node| node.neighbours.driver_upgrade = Some("drain-required".to_owned()));
}

/// One look; nobody else does anything.
fn look(world: &mut World) {
    world.agent_acts();
    world.operator_reads();
    world.operator_acts(u32::MAX);
}

#[test]
fn a_node_is_taken_from_mig_manager_before_anything_else_is_changed() {
    let mut world = under_mig_manager(false);
    let spec = world.spec.clone();
    look(&mut world);
    assert!(is_taken(&world));
    assert!(
        world.events.contains(&"NodeTakenOver"),
        "{:?}",
        world.events
    );
    assert_eq!(world.spec, spec, "nothing is asked of the agent yet");
    let world = world.until(Phase::InSync);
    assert_eq!(
        world.latest(),
        Some((OperationResult::Succeeded, "Succeeded"))
    );
    assert!(is_taken(&world), "as long as the policy has the node");
}

#[test]
fn a_node_that_is_as_it_should_be_is_taken_too_or_its_layout_would_be_undone_later() {
    let mut world = World::in_sync();
    world.policy.take_over = true;
    world.change_node(|node| node.neighbours.mig_manager = acts(false));
    look(&mut world);
    assert!(is_taken(&world));
}

#[test]
fn nothing_is_taken_against_a_persons_word() {
    for set in [
        (|world| world.change_node(|node| node.hold = true)) as fn(&mut World),
        |world| world.policy.paused = true,
        |world| world.policy.dry_run = true,
        |world| world.valid = false,
    ] {
        let mut world = under_mig_manager(false);
        set(&mut world);
        look(&mut world);
        assert!(!is_taken(&world), "{:?}", world.maintenance.waiting_for);
    }
}

#[test]
fn mig_manager_finishes_its_own_change_first() {
    let mut world = under_mig_manager(true);
    look(&mut world);
    assert!(!is_taken(&world));
    let (reason, message) = world.says("MaintenancePending").unwrap();
    assert_eq!(reason, "ForeignManager");
    assert!(
        message.starts_with("NVIDIA's MIG Manager to finish"),
        "{message}"
    );
    world.change_node(|node| node.neighbours.mig_manager = acts(false));
    let world = world.until(Phase::InSync);
    assert!(is_taken(&world));
}

#[test]
fn nothing_begins_while_a_pod_of_mig_manager_is_still_there() {
    pod_of_mig_manager(under_mig_manager(false));
    let mut by_a_person = World::changing();
    by_a_person.change_node(|node| node.neighbours.mig_manager = MigManager::KeptAway);
    pod_of_mig_manager(by_a_person);
}

fn pod_of_mig_manager(mut world: World) {
    let mut pod = world.pods[0].clone();
    pod.reference.name = "nvidia-mig-manager-x7".to_owned();
    pod.reference.uid = "uid-of-mig-manager".to_owned();
    pod.labels = [("app".to_owned(), "nvidia-mig-manager".to_owned())].into();
    pod.controller = Controller::DaemonSet;
    pod.gpus.clear();
    world.pods.push(pod);
    let mut world = world.rounds(5);
    let (reason, message) = world.says("MaintenancePending").unwrap();
    assert_eq!(reason, "ForeignManager");
    assert!(message.contains("nvidia-mig-manager-x7"), "{message}");
    world
        .pods
        .retain(|pod| pod.reference.uid != "uid-of-mig-manager");
    assert_eq!(
        world.until(Phase::InSync).latest().unwrap().0,
        OperationResult::Succeeded
    );
}

#[test]
fn somebody_who_takes_the_node_back_by_hand_loses_it_again() {
    let mut world = under_mig_manager(false).rounds(1).until(Phase::InSync);
    world.change_node(|node| {
        node.neighbours.mig_manager = MigManager::TakenOver {
            before: Some("true".to_owned()),
            is_intact: false,
        };
    });
    look(&mut world);
    let intact = MigManager::TakenOver {
        before: Some("true".to_owned()),
        is_intact: true,
    };
    assert_eq!(world.the_node().neighbours.mig_manager, intact);
}

#[test]
fn a_node_is_given_back_when_the_policy_goes_or_takes_over_no_more() {
    let mut gone = under_mig_manager(false).rounds(1).until(Phase::InSync);
    gone.wants(Want::Nothing);
    let gone = gone.until(Phase::Unmanaged);
    assert!(!is_taken(&gone), "the policy is gone");
    assert!(gone.events.contains(&"NodeGivenBack"));

    let mut changed = under_mig_manager(false).rounds(1).until(Phase::InSync);
    changed.policy.take_over = false;
    changed.wants(Want::Impossible);
    let changed = changed.until(Phase::Pending);
    assert!(
        !is_taken(&changed),
        "the policy does not take over any more"
    );
}

#[test]
fn a_policy_that_is_wrong_for_another_reason_keeps_the_node() {
    let mut world = under_mig_manager(false).rounds(1).until(Phase::InSync);
    world.wants(Want::Impossible);
    let world = world.rounds(5);
    assert_eq!(world.maintenance.phase, Phase::Pending);
    assert!(is_taken(&world));
}

#[test]
fn a_node_is_never_given_back_in_the_middle_of_an_operation() {
    for phase in [
        Phase::Preparing,
        Phase::Cordoning,
        Phase::Draining,
        Phase::Repartitioning,
        Phase::Validating,
    ] {
        let mut world = under_mig_manager(false).until(phase);
        world.wants(Want::Nothing);
        for _ in 0..1_000 {
            let before = world.maintenance.phase;
            world.round();
            let settled = [Phase::Unmanaged, Phase::InSync, Phase::Pending];
            let is_over = settled.contains(&before) || settled.contains(&world.maintenance.phase);
            assert!(
                is_taken(&world) || is_over,
                "{phase:?}: given back in {before:?}"
            );
        }
        assert_eq!(world.maintenance.phase, Phase::Unmanaged, "{phase:?}");
        assert!(!is_taken(&world), "{phase:?}");
    }
}

#[test]
fn what_was_taken_goes_back_as_it_was_unless_somebody_has_changed_it() {
    for (before, is_intact, expected) in [
        (Some("true"), true, Some(Some("true"))),
        (None, true, Some(None)),
        (Some("true"), false, None),
    ] {
        let mut node = World::in_sync().the_node().clone();
        assert_eq!(hand_back(&node), None);
        node.neighbours.mig_manager = MigManager::TakenOver {
            before: before.map(str::to_owned),
            is_intact,
        };
        let Some((
            crate::maintenance::Effect::Remember {
                labels,
                annotations,
            },
            _,
        )) = hand_back(&node)
        else {
            panic!("{before:?} is not given back");
        };
        let label = labels.get(crds::names::LABEL_MIG_MANAGER);
        assert_eq!(label.map(Option::as_deref), expected);
        assert_eq!(annotations[crds::names::ANNOTATION_MIG_MANAGER], None);
    }
}

#[test]
fn the_operator_does_not_go_before_every_node_is_given_back() {
    let mut node = World::in_sync().the_node().clone();
    node.guarantees.clear();
    node.neighbours.mig_manager = MigManager::TakenOver {
        before: Some("true".to_owned()),
        is_intact: true,
    };
    assert_eq!(leaving(&node, None), Leaving::UnderWay);
    assert_eq!(leaving(&node, Some(Phase::Unmanaged)), Leaving::UnderWay);
    let last = leaving(&node, Some(Phase::Quarantined));
    let (effect, event) = hand_back(&node).unwrap();
    assert_eq!(last, Leaving::LetGo(effect, event));
}

#[test]
fn a_driver_upgrade_keeps_changes_from_beginning() {
    let mut waits = World::changing();
    upgrades(&mut waits);
    let mut waits = waits.rounds(5);
    let (reason, message) = waits.says("MaintenancePending").unwrap();
    assert_eq!(
        (waits.maintenance.phase, reason),
        (Phase::Pending, "DriverUpgrade")
    );
    assert!(
        message.contains("nvidia.com/gpu-driver-upgrade-state=drain-required"),
        "{message}"
    );
    waits.change_node(|node| node.neighbours.driver_upgrade = None);
    assert_eq!(
        waits.until(Phase::InSync).latest().unwrap().0,
        OperationResult::Succeeded
    );
}

/// What comes to a node.
type Comes = fn(&mut NodeView);

/// Who comes to work on the GPUs while pods are leaving.
const OTHERS: [(&str, Comes); 4] = [
    ("DriverUpgrade", |node| {
        node.neighbours.driver_upgrade = Some("drain-required".to_owned());
    }),
    ("ForeignManager", |node| {
        node.neighbours.mig_manager = acts(false);
    }),
    ("ForeignManager", |node| {
        node.neighbours.mig_manager = MigManager::TakenOver {
            before: Some("true".to_owned()),
            is_intact: false,
        };
    }),
    ("ForeignManager", |node| {
        node.neighbours.manager = Some("HAMi hands out the GPUs".to_owned());
    }),
];

#[test]
fn who_comes_to_work_on_the_gpus_goes_first_as_long_as_nothing_is_destroyed() {
    for (reason, comes) in OTHERS {
        for phase in [
            Phase::Preparing,
            Phase::Cordoning,
            Phase::Draining,
            Phase::Repartitioning,
        ] {
            let mut world = World::changing().until(phase);
            world.change_node(comes);
            let world = world.rounds(10);
            let latest = (OperationResult::Released, reason);
            assert_eq!(world.latest(), Some(latest), "{phase:?}");
            assert!(!world.the_node().unschedulable, "{phase:?}: {reason}");
            assert_eq!(world.gpu.instances.len(), fixtures::BEFORE.len());
        }
    }
}

#[test]
fn what_the_agent_has_begun_it_finishes_whoever_comes() {
    for (reason, comes) in OTHERS {
        for phase in [Phase::Repartitioning, Phase::Validating] {
            let mut world = World::changing().until(phase);
            while !has_begun(&world) {
                world.round();
            }
            world.change_node(comes);
            let world = world.rounds(60);
            let latest = world.latest().map(|(result, _)| result);
            assert_eq!(
                latest,
                Some(OperationResult::Succeeded),
                "{phase:?} {reason}"
            );
        }
    }
}

fn has_begun(world: &World) -> bool {
    let agent = world.agent.as_ref();
    let answer = agent.and_then(|agent| agent.operation.as_ref());
    answer.is_some_and(|answer| answer.stage != AgentStage::Ready)
}

#[test]
fn a_driver_upgrade_also_keeps_a_change_of_the_plugins_configuration_from_beginning() {
    let mut world = World::in_sync();
    upgrades(&mut world);
    world.change_node(|node| node.plugin_config = None);
    let mut world = world.rounds(5);
    assert_eq!(world.says("MaintenancePending").unwrap().0, "DriverUpgrade");
    assert_eq!(world.the_node().plugin_config, None);
    world.change_node(|node| node.neighbours.driver_upgrade = None);
    let world = world.until(Phase::InSync);
    assert!(world.the_node().plugin_config.is_some());
    assert_eq!(world.gpu.instances.len(), fixtures::BEFORE.len());
    assert_ne!(fixtures::BEFORE.len(), AFTER.len());
}
