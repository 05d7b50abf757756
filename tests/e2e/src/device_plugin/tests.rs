use nvml_sim::SimulatedNode;

use super::*;

struct Node {
    _folder: tempfile::TempDir,
    gpus: SimulatedNode,
    plugin: DevicePlugin,
    configs: BTreeMap<String, String>,
    /// The resource whose MPS daemon answers.
    daemon: Option<&'static str>,
}

fn node() -> Node {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gpus.json");
    let configs = [
        ("mixed", "flags: {migStrategy: mixed}"),
        ("also-mixed", "flags: {migStrategy: mixed}"),
        ("single", "flags: {migStrategy: single}"),
        ("broken", "version: v2"),
        (
            "mps",
            "sharing: {mps: {resources: [{name: gpu, replicas: 4}]}}",
        ),
    ];
    Node {
        gpus: SimulatedNode::create(path, Some(1), &["A100-SXM4-40GB"]).unwrap(),
        _folder: folder,
        plugin: DevicePlugin::default(),
        daemon: None,
        configs: configs
            .map(|(key, text)| (key.to_owned(), text.to_owned()))
            .into(),
    }
}

impl Node {
    fn labelled(&mut self, label: Option<&str>) -> Result<(), String> {
        if self.plugin.select(label, &self.configs)? {
            // What it says is in `down`.
            let state = self.gpus.state().unwrap();
            let _ = self.plugin.start(&state, |name| self.daemon == Some(name));
        }
        Ok(())
    }

    /// (resource, capacity, allocatable)
    fn advertised(&self) -> Vec<(&str, usize, usize)> {
        let resources = self.plugin.resources().iter();
        resources
            .map(|(name, resource)| (name.as_str(), resource.capacity, resource.devices.len()))
            .collect()
    }

    fn cut(&self, profile: &str) {
        if !self.gpus.state().unwrap().gpus[0].mig_enabled() {
            self.gpus.set_mig_mode(0, true).unwrap();
        }
        self.gpus.create_instance(0, profile, None).unwrap();
    }
}

#[test]
fn devices_are_read_again_only_when_another_config_is_selected() {
    let mut node = node();
    node.labelled(Some("mixed")).unwrap();
    assert_eq!(node.advertised(), [("nvidia.com/gpu", 1, 1)]);
    node.cut("1g.5gb");
    node.labelled(Some("mixed")).unwrap();
    assert_eq!(node.advertised(), [("nvidia.com/gpu", 1, 1)]);
    node.labelled(Some("also-mixed")).unwrap();
    assert_eq!(
        node.advertised(),
        [("nvidia.com/gpu", 1, 0), ("nvidia.com/mig-1g.5gb", 1, 1)]
    );
}

#[test]
fn a_label_that_names_no_key_changes_nothing_and_coming_back_does_not_either() {
    let mut node = node();
    node.labelled(Some("mixed")).unwrap();
    node.cut("1g.5gb");
    assert!(node.labelled(Some("nowhere")).is_err());
    assert!(node.plugin.wants_config(Some("nowhere")));
    node.labelled(Some("mixed")).unwrap();
    assert_eq!(node.advertised(), [("nvidia.com/gpu", 1, 1)]);
}

#[test]
fn without_a_label_the_config_is_empty() {
    let mut node = node();
    node.cut("1g.5gb");
    node.labelled(None).unwrap();
    assert_eq!(node.advertised(), [("nvidia.com/gpu", 1, 1)]);
}

#[test]
fn a_plugin_that_cannot_serve_what_it_finds_is_down_until_it_can() {
    let mut node = node();
    node.labelled(None).unwrap();
    node.cut("3g.20gb");
    node.cut("1g.5gb");
    node.labelled(Some("single")).unwrap();
    assert!(node.plugin.down().is_some());
    assert_eq!(node.advertised(), [("nvidia.com/gpu", 1, 0)]);
    let small = node.gpus.gpus().unwrap()[0]
        .instances
        .iter()
        .find(|i| i.profile == "1g.5gb")
        .unwrap()
        .mig_uuids[0]
        .clone();
    node.gpus.destroy_instance(&small).unwrap();
    node.plugin
        .start(&node.gpus.state().unwrap(), |_| false)
        .unwrap();
    assert_eq!(node.plugin.down(), None);
    assert_eq!(node.advertised(), [("nvidia.com/gpu", 1, 1)]);
}

#[test]
fn a_config_that_cannot_be_read_leaves_nothing_to_allocate() {
    let mut node = node();
    node.labelled(None).unwrap();
    node.labelled(Some("broken")).unwrap();
    assert_eq!(
        node.plugin.down(),
        Some("unable to load config: unknown version: v2")
    );
    assert_eq!(node.advertised(), [("nvidia.com/gpu", 1, 0)]);
}

#[test]
fn gpus_that_mps_serves_are_advertised_once_the_daemon_of_their_resource_answers() {
    let mut node = node();
    node.labelled(Some("mixed")).unwrap();
    node.daemon = Some("nvidia.com/gpu.shared");
    node.labelled(Some("mps")).unwrap();
    assert_eq!(node.advertised(), [("nvidia.com/gpu", 1, 0)]);
    assert!(
        node.plugin
            .down()
            .unwrap()
            .contains("nobody answers for nvidia.com/gpu")
    );
    let state = node.gpus.state().unwrap();
    node.plugin
        .start(&state, |name| name == "nvidia.com/gpu")
        .unwrap();
    assert_eq!(node.advertised(), [("nvidia.com/gpu", 4, 4)]);
}

#[test]
fn mps_is_not_for_mig_devices() {
    let mut node = node();
    node.cut("1g.5gb");
    node.daemon = Some("nvidia.com/gpu");
    node.labelled(Some("mps")).unwrap();
    assert!(node.plugin.down().unwrap().contains("MIG"));
}
