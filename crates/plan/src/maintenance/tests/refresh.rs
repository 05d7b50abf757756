//! Pods that read devices only when they start are made anew after a repartition.

use crds::gpu_node::Phase;

use super::world::World;
use crate::pod::Controller;

/// A world with a change to make, and this pod beside the others.
fn with(namespace: &str, app: &str, controller: Controller, mut world: World) -> World {
    world.bind("nothing");
    world.devices.retain(|_, device| device != "nothing");
    let pod = world.pods.last_mut().unwrap();
    pod.reference.namespace = namespace.to_owned();
    pod.reference.name = "gfd".to_owned();
    pod.labels = [("app".to_owned(), app.to_owned())].into();
    pod.controller = controller;
    pod.gpus.clear();
    world
}

#[test]
fn only_what_its_daemonset_makes_anew_is_deleted_and_only_once() {
    let (namespace, app) = ("gpu-operator", "gpu-feature-discovery");
    for (namespace, app, controller, expected) in [
        (namespace, app, Controller::DaemonSet, &["gfd"][..]),
        ("default", app, Controller::DaemonSet, &[]),
        (namespace, "other", Controller::DaemonSet, &[]),
        (namespace, app, Controller::None, &[]),
    ] {
        let world = with(namespace, app, controller, World::changing());
        let world = world.rounds(1).until(Phase::InSync).rounds(20);
        assert_eq!(world.restarted, expected, "{namespace} {app}");
    }
}

#[test]
fn a_change_of_the_plugins_configuration_touches_no_pod() {
    let daemon_set = Controller::DaemonSet;
    let mut world = with(
        "gpu-operator",
        "gpu-feature-discovery",
        daemon_set,
        World::in_sync(),
    );
    world.change_node(|node| node.plugin_config = None);
    let world = world.rounds(1).until(Phase::InSync);
    assert!(world.the_node().plugin_config.is_some());
    assert_eq!(world.restarted, [""; 0]);
}
