//! A device plugin that does not take what it is told: its pods are made anew once, if the operator may delete them.

use crds::gpu_node::{OperationResult, Phase, PodReference};
use jiff::SignedDuration;

use super::world::World;
use crate::diagnosis::{PluginPod, Stack};
use crate::maintenance::Limits;

const POD: &str = "nvidia-device-plugin-x7";

/// What happens to a world.
type Change = fn(&mut World);

fn pod() -> PluginPod {
    let reference = PodReference {
        namespace: "gpu-operator".to_owned(),
        name: POD.to_owned(),
        uid: "uid-of-the-plugin".to_owned(),
    };
    PluginPod {
        name: format!("gpu-operator/{POD}"),
        reference,
        is_of_daemon_set: true,
        is_managed: true,
        config_map: Some("configs".to_owned()),
        mig_strategy: None,
        crashing: Vec::new(),
    }
}

fn stack() -> Stack {
    Stack {
        config_map: ("gpu-operator".to_owned(), "configs".to_owned()),
        pods: vec![pod()],
        ..Stack::default()
    }
}

/// A plugin that is stuck, seen as it is, in a world in which it may be restarted.
fn stuck(mut world: World) -> World {
    world.may_restart_plugin = true;
    world.stack = Some(stack());
    world.plugin_is_up = false;
    world
}

/// A plugin that is stuck with an operation, and one that is stuck without.
fn both() -> Vec<World> {
    let mut told = World::in_sync();
    told.change_node(|node| {
        node.plugin_config = Some("theirs".to_owned());
        node.resources.clear();
    });
    let worlds = vec![stuck(World::changing()), stuck(told)].into_iter();
    let worlds = worlds.map(|world| {
        let mut world = world.until(Phase::Validating);
        world.events.clear();
        world
    });
    worlds.collect()
}

/// The phase that a change comes to which the plugin never takes.
fn end(world: &World) -> Phase {
    if world.maintenance.snapshot.is_some() {
        Phase::Quarantined
    } else {
        Phase::Pending
    }
}

#[test]
fn a_plugin_that_has_not_taken_its_configuration_in_time_is_restarted_once_and_gets_all_its_time_again()
 {
    let validate = Limits::default().validate;
    for mut world in both() {
        let (end, begun) = (end(&world), world.now);
        while world.restarted.is_empty() {
            world.round();
        }
        let late = world.now.duration_since(begun + validate);
        assert!(late <= SignedDuration::from_secs(3), "{late:?}");
        assert_eq!(world.events, ["DevicePluginRestarted"]);
        let left = world.maintenance.deadline.as_ref().unwrap().0;
        assert!(left.duration_since(world.now) > SignedDuration::from_secs(290));

        let mut helped = world.clone();
        helped.plugin_is_up = true;
        let helped = helped.until(Phase::InSync);
        assert_eq!(helped.restarted, [POD]);

        let world = world.until(end);
        assert_eq!(world.restarted, [POD], "once");
        let sentence = world.maintenance.waiting_for.as_deref().unwrap();
        assert!(
            sentence.contains("its pods there were made anew at"),
            "{sentence}"
        );
    }
}

#[test]
fn another_attempt_may_restart_it_again() {
    let world = both().pop().unwrap();
    let world = world.until(Phase::Pending);
    let next = world.maintenance.next_attempt.clone().unwrap().0;
    let world = world.until_after(next).until(Phase::Validating);
    let world = world.until(Phase::Pending);
    assert_eq!(world.restarted, [POD, POD]);
}

#[test]
fn it_is_left_alone_unless_a_restart_is_all_that_is_left_to_try() {
    let cases: [(&str, bool, Change); 7] = [
        ("the right is missing", false, |world| {
            world.may_restart_plugin = false;
        }),
        ("there is no pod", false, |world| {
            world.stack.as_mut().unwrap().pods.clear();
        }),
        ("nobody makes it anew", false, |world| {
            world.stack.as_mut().unwrap().pods[0].is_of_daemon_set = false;
        }),
        ("it is in another namespace", false, |world| {
            let pod = &mut world.stack.as_mut().unwrap().pods[0];
            pod.reference.namespace = "theirs".to_owned();
        }),
        ("it does not go by the label", false, |world| {
            world.stack.as_mut().unwrap().pods[0].is_managed = false;
        }),
        ("nobody has looked", false, |world| world.stack = None),
        ("it crashes", true, |world| {
            let pod = &mut world.stack.as_mut().unwrap().pods[0];
            pod.crashing = vec!["container config-manager is in CrashLoopBackOff".to_owned()];
        }),
    ];
    for (what, is_restarted, change) in cases {
        for mut world in both() {
            change(&mut world);
            let end = end(&world);
            let world = world.until(end);
            assert_eq!(!world.restarted.is_empty(), is_restarted, "{what}");
        }
    }
}

#[test]
fn without_the_right_people_are_told_which_pod_to_delete_and_how_to_allow_it() {
    for mut world in both() {
        world.may_restart_plugin = false;
        let end = end(&world);
        let world = world.until(end);
        let sentence = world.maintenance.waiting_for.as_deref().unwrap();
        let expected = format!(
            "delete pod gpu-operator/{POD} to have it made anew, or let the operator do so: devicePlugin.restart in its chart"
        );
        assert!(sentence.contains(&expected), "{sentence}");
    }
}

#[test]
fn an_operation_that_went_well_restarts_nobody() {
    let mut world = stuck(World::changing().rounds(1));
    world.plugin_is_up = true;
    let world = world.until(Phase::InSync);
    assert_eq!(world.latest().unwrap().0, OperationResult::Succeeded);
    assert_eq!(world.restarted, [""; 0]);
}
