use nvml_sim::SimulatedNode;

use super::*;

fn plugin(products: &[&str], config: &str) -> DevicePlugin {
    let folder = tempfile::tempdir().unwrap();
    let gpus = SimulatedNode::create(folder.path().join("gpus.json"), Some(1), products).unwrap();
    let mut plugin = DevicePlugin::default();
    let configs = BTreeMap::from([("a".to_owned(), config.to_owned())]);
    assert!(plugin.select(Some("a"), &configs).unwrap());
    plugin.start(&gpus.state().unwrap(), |_| false).unwrap();
    plugin
}

fn pod(uid: &str, count: usize) -> PodDemand {
    PodDemand {
        uid: uid.to_owned(),
        namespace: "team".to_owned(),
        name: uid.to_owned(),
        created: None,
        containers: vec![(
            "main".to_owned(),
            BTreeMap::from([("nvidia.com/gpu".to_owned(), count)]),
        )],
        running: false,
        ended: false,
        admitted: false,
    }
}

fn gpus_of(manager: &DeviceManager, uid: &str) -> Vec<usize> {
    manager.of(uid).unwrap()["main"]
        .iter()
        .map(|(_, device)| device.gpu)
        .collect()
}

#[test]
fn devices_are_spread_over_gpus_and_stay_with_their_pod() {
    let config = "sharing: {timeSlicing: {resources: [{name: gpu, replicas: 2}]}}";
    let plugin = plugin(&["T4", "T4"], config);
    let mut manager = DeviceManager::default();
    for uid in ["a", "b", "c", "a"] {
        manager.admit(&pod(uid, 1), &plugin).unwrap();
    }
    assert_eq!(gpus_of(&manager, "a"), [0]);
    assert_eq!(gpus_of(&manager, "b"), [1]);
    assert_eq!(gpus_of(&manager, "c"), [0]);
}

#[test]
fn a_pod_without_a_device_is_refused_until_one_is_given_back() {
    let plugin = plugin(&["T4"], "");
    let mut manager = DeviceManager::default();
    manager.admit(&pod("a", 1), &plugin).unwrap();
    let refused = manager.admit(&pod("b", 1), &plugin).unwrap_err();
    assert!(refused.contains("Requested: 1, Available: 0"), "{refused}");
    manager.retain(&BTreeSet::from(["b"]));
    assert!(
        manager.admit(&pod("b", 1), &plugin).is_err(),
        "it is not tried again"
    );
    manager.admit(&pod("c", 1), &plugin).unwrap();
    assert_eq!(gpus_of(&manager, "c"), [0]);
}

#[test]
fn a_refused_pod_holds_nothing() {
    let plugin = plugin(&["T4"], "");
    let mut manager = DeviceManager::default();
    let mut greedy = pod("a", 1);
    greedy
        .containers
        .push(("side".to_owned(), greedy.containers[0].1.clone()));
    assert!(manager.admit(&greedy, &plugin).is_err());
    assert!(manager.of("a").is_none());
    manager.admit(&pod("b", 1), &plugin).unwrap();
}

#[test]
fn more_than_one_replica_may_be_forbidden() {
    for (forbidden, expected) in [("true", false), ("false", true)] {
        let config = format!(
            "sharing: {{timeSlicing: {{failRequestsGreaterThanOne: {forbidden}, resources: [{{name: gpu, replicas: 4}}]}}}}"
        );
        let plugin = plugin(&["T4"], &config);
        let admitted = DeviceManager::default().admit(&pod("a", 2), &plugin);
        assert_eq!(admitted.is_ok(), expected, "{admitted:?}");
    }
}
