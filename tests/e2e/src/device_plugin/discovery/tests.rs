use nvml_sim::SimulatedNode;

use super::*;

const A100: &str = "A100-SXM4-40GB";

struct Node {
    _folder: tempfile::TempDir,
    node: SimulatedNode,
}

fn node(products: &[&str]) -> Node {
    let folder = tempfile::tempdir().unwrap();
    let node = SimulatedNode::create(folder.path().join("gpus.json"), Some(1), products).unwrap();
    Node {
        _folder: folder,
        node,
    }
}

impl Node {
    fn mig(self, gpu: usize, profiles: &[&str]) -> Self {
        self.node.set_mig_mode(gpu, true).unwrap();
        for profile in profiles {
            self.node.create_instance(gpu, profile, None).unwrap();
        }
        self
    }

    fn found(&self, config: &str) -> Result<Devices, String> {
        let config = PluginConfig::parse(config).unwrap();
        discover(&self.node.state().unwrap(), &config)
    }

    fn counts(&self, config: &str) -> Vec<(String, usize)> {
        let found = self.found(config).unwrap().into_iter();
        found.map(|(name, devices)| (name, devices.len())).collect()
    }
}

fn counts<const N: usize>(expected: [(&str, usize); N]) -> Vec<(String, usize)> {
    expected
        .map(|(name, count)| (name.to_owned(), count))
        .to_vec()
}

#[test]
fn mixed_names_mig_devices_after_their_profile_and_hides_their_gpu() {
    let node = node(&[A100, "T4"]).mig(0, &["3g.20gb", "1g.5gb", "1g.5gb+me"]);
    assert_eq!(
        node.counts("flags: {migStrategy: mixed}"),
        counts([
            ("nvidia.com/gpu", 1),
            ("nvidia.com/mig-1g.5gb", 1),
            ("nvidia.com/mig-1g.5gb.me", 1),
            ("nvidia.com/mig-3g.20gb", 1),
        ])
    );
}

#[test]
fn an_empty_mig_gpu_is_nothing_to_mixed() {
    assert_eq!(
        node(&[A100])
            .mig(0, &[])
            .counts("flags: {migStrategy: mixed}"),
        []
    );
}

#[test]
fn none_takes_a_mig_gpu_for_a_whole_one() {
    let node = node(&[A100, "T4"]).mig(0, &["1g.5gb"]);
    assert_eq!(node.counts(""), counts([("nvidia.com/gpu", 2)]));
}

#[test]
fn single_calls_like_mig_devices_gpus() {
    let config = "flags: {migStrategy: single}";
    let like = node(&[A100, A100])
        .mig(0, &["3g.20gb", "3g.20gb"])
        .mig(1, &["3g.20gb"]);
    assert_eq!(like.counts(config), counts([("nvidia.com/gpu", 3)]));
    let without = node(&[A100, "T4"]);
    assert_eq!(without.counts(config), counts([("nvidia.com/gpu", 2)]));
}

#[test]
fn single_does_not_start_on_anything_else() {
    for (node, reason) in [
        (
            node(&[A100]).mig(0, &["3g.20gb", "1g.5gb"]),
            "more than one MIG device type",
        ),
        (
            node(&[A100]).mig(0, &[]),
            "device 0 has no MIG devices configured",
        ),
        (
            node(&[A100, "T4"]).mig(0, &["1g.5gb"]),
            "same migEnabled value",
        ),
        // One name and one id, and other multiprocessors: an H100's are its own.
        (
            node(&["A100-SXM4-80GB", "H100-SXM5-80GB"])
                .mig(0, &["1g.10gb"])
                .mig(1, &["1g.10gb"]),
            "more than one MIG device type",
        ),
    ] {
        let refused = node.found("flags: {migStrategy: single}").unwrap_err();
        assert!(refused.contains(reason), "{refused}");
    }
}

#[test]
fn replicas_multiply_and_number_the_ids() {
    let node = node(&["T4"]);
    let devices = node.found("sharing: {timeSlicing: {resources: [{name: gpu, replicas: 2}, {name: mig-1g.5gb, replicas: 3}]}}");
    let devices = devices.unwrap();
    let uuid = node.node.gpus().unwrap()[0].uuid.clone();
    let ids: Vec<_> = devices[GPU]
        .iter()
        .map(|device| device.id.clone())
        .collect();
    assert_eq!(ids, [format!("{uuid}::0"), format!("{uuid}::1")]);
    assert_eq!(devices[GPU][1].uuid(), uuid);
    assert_eq!(devices.len(), 1);
}

#[test]
fn replicas_of_slices_are_by_profile_or_of_all_alike_and_renamed_with_their_resource() {
    let cut = node(&[A100]).mig(0, &["3g.20gb", "1g.5gb+me", "1g.5gb"]);
    let by_profile = "{flags: {migStrategy: mixed}, sharing: {timeSlicing: {renameByDefault: true, resources: [\
                      {name: nvidia.com/mig-1g.5gb.me, replicas: 3}, {name: nvidia.com/mig-3g.20gb, replicas: 2}]}}}";
    assert_eq!(
        cut.counts(by_profile),
        counts([
            ("nvidia.com/mig-1g.5gb", 1),
            ("nvidia.com/mig-1g.5gb.me.shared", 3),
            ("nvidia.com/mig-3g.20gb.shared", 2),
        ])
    );
    let like = node(&[A100]).mig(0, &["3g.20gb", "3g.20gb"]);
    let single = "{flags: {migStrategy: single}, sharing: {timeSlicing: {resources: [{name: gpu, replicas: 2}]}}}";
    assert_eq!(like.counts(single), counts([("nvidia.com/gpu", 4)]));
    let devices = &like.found(single).unwrap()[GPU];
    assert!(
        devices
            .iter()
            .all(|device| device.uuid().starts_with("MIG-"))
    );
    let renamed = single.replace("resources", "renameByDefault: true, resources");
    assert_eq!(
        like.counts(&renamed),
        counts([("nvidia.com/gpu.shared", 4)])
    );
}
