mod every;
mod reading;

use crds::gpu_node::{MigInstance, MigModeStatus, MigTarget, PlacedProfile, SharingTarget};
use crds::policy::StrategyType;

use super::*;

fn target(gpus: &[(&[&str], i32)]) -> Target {
    let gpu = |(index, (profiles, replicas)): (usize, &(&[&str], i32))| GpuTarget {
        uuid: format!("GPU-{index}"),
        index: i32::try_from(index).unwrap(),
        mig: MigTarget {
            enabled: !profiles.is_empty(),
            instances: profiles
                .iter()
                .map(|profile| PlacedProfile {
                    start: 0,
                    profile: (*profile).to_owned(),
                })
                .collect(),
        },
        sharing: SharingTarget {
            r#type: StrategyType::Exclusive,
            replicas: *replicas,
            per_profile: [].into(),
            mps: None,
        },
    };
    Target {
        gpus: gpus.iter().enumerate().map(gpu).collect(),
        ..Target::default()
    }
}

fn status(index: i32, mode: MigMode, instances: &[(&str, bool)]) -> GpuStatus {
    GpuStatus {
        index,
        uuid: format!("GPU-{index}"),
        product: String::new(),
        memory_mib: 0,
        compute_capability: None,
        mig: MigModeStatus {
            current: mode,
            pending: mode,
        },
        instances: instances
            .iter()
            .map(|(profile, whole)| MigInstance {
                profile: (*profile).to_owned(),
                start: 0,
                size: 1,
                uuid: whole.then(|| "MIG-x".to_owned()),
                parts: Vec::new(),
                owned: true,
            })
            .collect(),
        profiles: Vec::new(),
        compute_mode: None,
        mps: None,
        holders: Vec::new(),
        processes: Vec::new(),
    }
}

#[test]
fn the_plugin_is_told_the_strategy_and_what_is_shared() {
    let plain = "version: v1\nflags:\n  migStrategy: none\n";
    let mixed = "version: v1\nflags:\n  migStrategy: mixed\n";
    let sharing = "sharing:\n  timeSlicing:\n    renameByDefault: false\n    failRequestsGreaterThanOne: true\n    resources:\n";
    for (gpus, expected) in [
        (target(&[(&[], 1), (&[], 1)]), plain.to_owned()),
        (target(&[(&["1g.5gb", "3g.20gb"], 1)]), mixed.to_owned()),
        (
            target(&[(&[], 4), (&[], 4)]),
            format!("{plain}{sharing}    - name: nvidia.com/gpu\n      replicas: 4\n"),
        ),
        (
            target(&[(&["3g.20gb"], 1), (&[], 4)]),
            format!("{mixed}{sharing}    - name: nvidia.com/gpu\n      replicas: 4\n"),
        ),
        (
            target(&[(&["3g.20gb", "1g.5gb+me"], 2)]),
            format!(
                "{mixed}{sharing}    - name: nvidia.com/mig-1g.5gb.me\n      replicas: 2\n    - name: nvidia.com/mig-3g.20gb\n      replicas: 2\n"
            ),
        ),
    ] {
        assert_eq!(render(&gpus), expected);
    }
}

#[test]
fn gpus_that_mps_serves_are_told_as_such() {
    let mut target = target(&[(&[], 4), (&[], 4)]);
    for gpu in &mut target.gpus {
        gpu.sharing.r#type = StrategyType::Mps;
    }
    let text = "version: v1\nflags:\n  migStrategy: none\nsharing:\n  mps:\n    renameByDefault: false\n    \
                failRequestsGreaterThanOne: true\n    resources:\n    - name: nvidia.com/gpu\n      replicas: 4\n";
    assert_eq!(render(&target), text);
    let gpus = [0, 1].map(|index| status(index, MigMode::Disabled, &[]));
    assert_eq!(
        advertised(&gpus, &target),
        [("nvidia.com/gpu".to_owned(), 8)].into()
    );
    assert!(key(&target, None).starts_with("mps-"));
}

#[test]
fn the_rules_for_replicas_are_told_too() {
    let mut target = target(&[(&[], 4)]);
    target.replicas = ReplicaRules {
        rename: true,
        fail_requests_greater_than_one: false,
    };
    let text = render(&target);
    assert!(
        text.contains("renameByDefault: true")
            && text.contains("failRequestsGreaterThanOne: false"),
        "{text}"
    );
    let advertised = advertised(&[status(0, MigMode::Disabled, &[])], &target);
    assert_eq!(advertised, [("nvidia.com/gpu.shared".to_owned(), 4)].into());
}

#[test]
fn a_node_advertises_what_its_devices_and_the_configuration_make() {
    use MigMode::{Disabled, Enabled, NotSupported};
    let slices: &[(&str, bool)] = &[("1g.5gb", true), ("1g.5gb", true), ("3g.20gb", true)];
    let (g1, g3, gpu) = (
        "nvidia.com/mig-1g.5gb",
        "nvidia.com/mig-3g.20gb",
        "nvidia.com/gpu",
    );
    let (mig, plain) = (target(&[(&["1g.5gb"], 1)]), target(&[(&[], 1)]));
    let half: &[(&str, bool)] = &[("1g.5gb", true), ("3g.20gb", false)];
    for (gpus, target, expected) in [
        (
            vec![status(0, Enabled, slices)],
            &mig,
            vec![(g1, 2), (g3, 1)],
        ),
        (
            vec![status(0, Enabled, slices), status(1, Disabled, &[])],
            &mig,
            vec![(g1, 2), (g3, 1), (gpu, 1)],
        ),
        // An instance without a whole compute instance is no device.
        (vec![status(0, Enabled, half)], &mig, vec![(g1, 1)]),
        // Without migStrategy mixed a GPU in MIG mode passes for a whole one.
        (
            vec![status(0, Enabled, slices), status(1, NotSupported, &[])],
            &plain,
            vec![(gpu, 2)],
        ),
        (
            vec![status(0, NotSupported, &[]), status(1, NotSupported, &[])],
            &target(&[(&[], 4), (&[], 4)]),
            vec![(gpu, 8)],
        ),
        (vec![], &plain, vec![]),
    ] {
        let expected: BTreeMap<_, _> = expected
            .into_iter()
            .map(|(name, number)| (name.to_owned(), number))
            .collect();
        assert_eq!(advertised(&gpus, target), expected);
    }
}

#[test]
fn every_operation_changes_the_label_and_the_key_names_its_content() {
    let (one, other) = (target(&[(&["1g.5gb"], 1)]), target(&[(&[], 4)]));
    let first = key(&one, None);
    let second = key(&one, Some(&first));
    assert_ne!(first, second);
    assert_eq!(key(&one, Some(&second)), first);
    assert_eq!(key(&one, Some("somebody-elses")), first);
    assert!(first.starts_with("mig-") && key(&other, None).starts_with("time-slicing-"));
    for key in [&first, &second] {
        assert!(holds(&one, key) && !holds(&other, key));
        assert!(key.len() <= 63);
        assert!(
            key.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'),
            "{key}"
        );
    }
    // Other slices, same configuration: the plugin is told the same.
    assert_eq!(render(&one), render(&target(&[(&["3g.20gb"], 1)])));
}

#[test]
fn what_an_older_version_has_written_means_what_it_meant() {
    let older = serde_json::json!({"gpus": [{
        "uuid": "GPU-0", "index": 0, "sharing": {"type": "Exclusive", "replicas": 2},
        "mig": {"enabled": true, "instances": [{"start": 0, "profile": "1g.5gb"}]},
    }]});
    let read: Target = serde_json::from_value(older).unwrap();
    assert_eq!(read, target(&[(&["1g.5gb"], 2)]));
}

#[test]
fn like_slices_are_told_and_counted_as_gpus() {
    let slices = [("1g.5gb", true), ("1g.5gb", true), ("1g.5gb", false)];
    let gpus = [status(0, MigMode::Enabled, &slices)];
    for (replicas, rename, sharing, name, count) in [
        (1, false, "", "nvidia.com/gpu", 2),
        (
            3,
            true,
            "sharing:\n  timeSlicing:\n    renameByDefault: true\n    failRequestsGreaterThanOne: true\n    resources:\n    \
             - name: nvidia.com/gpu\n      replicas: 3\n",
            "nvidia.com/gpu.shared",
            6,
        ),
    ] {
        let mut target = target(&[(&["1g.5gb"], replicas)]);
        target.advertise = Advertise::Single;
        target.replicas.rename = rename;
        let text = format!("version: v1\nflags:\n  migStrategy: single\n{sharing}");
        assert_eq!(render(&target), text);
        assert_eq!(
            advertised(&gpus, &target),
            [(name.to_owned(), count)].into()
        );
    }
}

#[test]
fn each_profile_is_told_and_counted_with_its_own_number() {
    let mut target = target(&[(&["1g.5gb", "3g.20gb"], 2)]);
    target.gpus[0].sharing.per_profile = [("1g.5gb".to_owned(), 4)].into();
    let text = render(&target);
    let end = "resources:\n    - name: nvidia.com/mig-1g.5gb\n      replicas: 4\n    - name: nvidia.com/mig-3g.20gb\n      replicas: 2\n";
    assert!(text.ends_with(end), "{text}");
    let slices = [("1g.5gb", true), ("1g.5gb", true), ("3g.20gb", true)];
    let expected = [("nvidia.com/mig-1g.5gb", 8), ("nvidia.com/mig-3g.20gb", 2)];
    let expected = expected.map(|(name, count)| (name.to_owned(), count));
    let gpus = [status(0, MigMode::Enabled, &slices)];
    assert_eq!(advertised(&gpus, &target), expected.into());
    let expected = [("nvidia.com/mig-1g.5gb", 4), ("nvidia.com/mig-3g.20gb", 2)];
    let expected = expected.map(|(name, count)| (name.to_owned(), count));
    assert_eq!(promised(&target), expected.into());
}
