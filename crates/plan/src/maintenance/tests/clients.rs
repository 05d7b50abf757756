//! NVIDIA's GPU clients are paused while a mode changes, and run again whatever becomes of it.

use crds::gpu_node::{OperationResult, OperationStage, Phase};
use crds::names::GPU_CLIENT_LABELS;

use super::fixtures;
use super::world::{Fault, Want, World};
use crate::maintenance::neighbours::hand_back;
use crate::maintenance::{Effect, Leaving, leaving};
use crate::pod::Controller;

const DCGM: &str = "nvidia.com/gpu.deploy.dcgm";

fn is_paused(world: &World) -> bool {
    let node = world.node.as_ref();
    node.is_some_and(|node| !node.neighbours.clients.paused.is_empty())
}

/// As before: all that ran do, and nothing else.
fn run_again(world: &World) -> bool {
    let node = world.node.as_ref();
    node.is_none_or(|node| node.neighbours == fixtures::neighbours())
}

/// A mode is about to be switched, and the clients have just been paused for it.
fn paused() -> World {
    let mut world = World::switching();
    for _ in 0..1_000 {
        if is_paused(&world) {
            return world;
        }
        world.round();
    }
    panic!("never paused: {:#?}", world.maintenance);
}

/// A pod that runs while DCGM is deployed.
fn dcgm(world: &mut World) {
    world.bind("nothing");
    world.devices.retain(|_, device| device != "nothing");
    let pod = world.pods.last_mut().unwrap();
    pod.reference.name = "nvidia-dcgm-x7".to_owned();
    pod.controller = Controller::DaemonSet;
    pod.gpus.clear();
    pod.client_of = [DCGM.to_owned()].into();
}

#[test]
fn clients_are_paused_for_a_switch_of_the_mode_and_run_again_before_the_node_is_verified() {
    let world = paused();
    assert_eq!(world.maintenance.phase, Phase::Repartitioning);
    let stage = world
        .spec
        .operation
        .as_ref()
        .map(|operation| operation.stage);
    assert_eq!(
        stage,
        Some(OperationStage::Prepare),
        "the agent goes ahead only then"
    );
    assert!(world.the_node().neighbours.clients.running.is_empty());
    let world = world.until(Phase::InSync);
    assert_eq!(
        world.latest(),
        Some((OperationResult::Succeeded, "Succeeded"))
    );
    assert!(run_again(&world));
    let told = |word: &str| world.events.iter().filter(|event| **event == word).count();
    assert_eq!(
        (told("GpuClientsPaused"), told("GpuClientsResumed")),
        (1, 1)
    );
}

#[test]
fn a_change_of_slices_pauses_nobody() {
    let world = World::changing().rounds(1).until(Phase::InSync);
    assert_eq!(world.latest().unwrap().0, OperationResult::Succeeded);
    assert!(!world.events.contains(&"GpuClientsPaused"));
}

#[test]
fn an_operator_that_dies_before_any_of_its_writes_leaves_nobody_paused() {
    let all = World::switching().rounds(1).until(Phase::InSync).writes;
    for survives in 0..all {
        let mut world = World::switching();
        let last = world.writes + survives;
        while world.writes < last && world.maintenance.phase != Phase::InSync {
            world.admission_acts();
            world.plugin_acts();
            world.agent_acts();
            world.operator_reads();
            let left = last.saturating_sub(world.writes);
            world.operator_acts(left);
            world.pass(1);
        }
        world.operator_dies();
        let world = world.rounds(1).until(Phase::InSync);
        assert!(run_again(&world), "died after {survives} writes");
    }
}

#[test]
fn an_agent_that_fails_leaves_nobody_paused() {
    for fault in [Fault::Create, Fault::CreateAndRollBack] {
        let mut world = paused();
        world.fault = Some(fault);
        let world = world.rounds(30);
        assert!(run_again(&world), "{fault:?}: {:#?}", world.maintenance);
        let results = [OperationResult::RolledBack, OperationResult::Quarantined];
        let outcome = world.maintenance.outcome.as_ref().map(|it| it.result);
        let result = outcome.or(world.latest().map(|(result, _)| result));
        assert!(
            result.is_some_and(|it| results.contains(&it)),
            "{fault:?}: {result:?}"
        );
    }
}

type Event = fn(&mut World);

/// What may happen to an operation between the pause and the go-ahead.
const ENDS: [(&str, Event); 6] = [
    ("the policy is deleted", |world| world.wants(Want::Nothing)),
    ("the policy becomes wrong", |world| {
        world.wants(Want::Impossible);
    }),
    ("the window closes", |world| world.set_window(false)),
    ("the policy becomes a dry run", |world| {
        world.policy.dry_run = true;
    }),
    ("a person uncordons", World::admin_uncordons),
    ("the agent falls silent", |world| world.agent_is_up = false),
];

#[test]
fn whatever_ends_an_operation_before_it_begins_resumes_them() {
    for (what, happens) in ENDS {
        let mut world = paused();
        happens(&mut world);
        let world = world.rounds(120);
        assert!(run_again(&world), "{what}: {:#?}", world.maintenance);
        assert_ne!(world.maintenance.phase, Phase::Repartitioning, "{what}");
    }
}

#[test]
fn an_agent_that_never_ends_does_not_keep_them_away() {
    let mut world = paused();
    world.everybody_acts();
    world.everybody_acts();
    world.agent_is_up = false;
    let world = world.rounds(700);
    assert!(run_again(&world), "{:#?}", world.maintenance);
}

#[test]
fn those_that_a_dead_operator_has_left_paused_run_again_after_the_next_look_in_any_phase() {
    for phase in [
        Phase::Unmanaged,
        Phase::InSync,
        Phase::Pending,
        Phase::Preparing,
        Phase::Cordoning,
        Phase::Draining,
        Phase::Validating,
        Phase::Uncordoning,
    ] {
        let mut world = World::changing();
        if phase == Phase::Unmanaged {
            world.wants(Want::Nothing);
        }
        let mut world = world.rounds(1).until(phase);
        world.change_node(|node| {
            let clients = &mut node.neighbours.clients;
            clients.paused = std::mem::take(&mut clients.running);
        });
        world.operator_reads();
        world.operator_acts(u32::MAX);
        assert!(run_again(&world), "{phase:?}");
    }
}

#[test]
fn a_pod_that_is_slow_to_end_is_waited_for_by_name_and_not_for_ever() {
    let mut world = World::switching();
    dcgm(&mut world);
    for _ in 0..100 {
        world.round();
        if is_paused(&world) {
            break;
        }
    }
    let world = world.rounds(5);
    let sentence = world.maintenance.waiting_for.clone().unwrap_or_default();
    assert!(sentence.contains("nvidia-dcgm-x7 to end"), "{sentence}");
    let mut gone = world.clone();
    gone.pods.clear();
    assert_eq!(
        gone.until(Phase::InSync).latest().unwrap().0,
        OperationResult::Succeeded
    );

    let world = world.rounds(320);
    assert_eq!(
        world.latest(),
        Some((OperationResult::Failed, "GpuClientsStuck"))
    );
    assert!(run_again(&world));
}

#[test]
fn a_client_that_an_admin_has_just_stopped_is_waited_for_too_and_not_resumed() {
    let mut world = World::switching();
    dcgm(&mut world);
    let mut world = world.until(Phase::Repartitioning);
    world.change_node(|node| {
        node.neighbours.clients.running.remove(DCGM);
        node.neighbours.clients.paused.remove(DCGM);
    });
    let mut world = world.rounds(5);
    let asked = world.spec.operation.as_ref().map(|asked| asked.stage);
    assert_eq!(asked, Some(OperationStage::Prepare));
    let sentence = world.maintenance.waiting_for.clone().unwrap_or_default();
    assert!(sentence.contains("nvidia-dcgm-x7 to end"), "{sentence}");
    world.pods.clear();
    let world = world.until(Phase::InSync);
    let clients = &world.the_node().neighbours.clients;
    assert!(!clients.running.contains(DCGM), "an admin keeps it away");
    assert!(clients.paused.is_empty());
}

#[test]
fn a_node_without_a_gpu_node_gets_its_clients_back_before_anything_else() {
    let mut node = paused().the_node().clone();
    node.guarantees.clear();
    node.operation = None;
    let (effect, event) = hand_back(&node).unwrap();
    let Effect::Label(labels) = &effect else {
        panic!("{effect:?}")
    };
    let keys: Vec<_> = labels.keys().map(String::as_str).collect();
    assert_eq!(keys, [DCGM, "nvidia.com/gpu.deploy.device-plugin"]);
    assert!(
        labels
            .values()
            .all(|value| value.as_deref() == Some("true"))
    );
    assert!(keys.iter().all(|key| GPU_CLIENT_LABELS.contains(key)));
    assert_eq!(leaving(&node, None), Leaving::UnderWay);
    let last = leaving(&node, Some(Phase::Quarantined));
    assert_eq!(last, Leaving::LetGo(effect, event));
}
