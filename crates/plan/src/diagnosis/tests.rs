//! Objects as NVIDIA's GPU operator and the plugin's own chart make them.

use crds::gpu_node::{GpuTarget, MigTarget, SharingTarget};
use crds::policy::StrategyType;
use serde_json::{Value, json};

use super::*;

/// A pod of the GPU operator's `DaemonSet` `nvidia-device-plugin-daemonset`, configured to read this `ConfigMap`.
fn managed(namespace: &str, config_map: &str) -> Value {
    let manager = |name: &str| {
        json!({
            "name": name, "command": ["config-manager"],
            "env": [
                {"name": "NODE_LABEL", "value": "nvidia.com/device-plugin.config"},
                {"name": "CONFIG_FILE_SRCDIR", "value": "/available-configs"},
                {"name": "DEFAULT_CONFIG", "value": ""},
                {"name": "FALLBACK_STRATEGIES", "value": "empty"},
            ],
            "volumeMounts": [
                {"name": config_map, "mountPath": "/available-configs"},
                {"name": "config", "mountPath": "/config"},
            ],
        })
    };
    json!({
        "metadata": {"namespace": namespace, "name": "nvidia-device-plugin-daemonset-7x9", "uid": "u"},
        "spec": {
            "initContainers": [manager("config-manager-init")],
            "containers": [
                {"name": "nvidia-device-plugin", "env": [{"name": "MPS_ROOT", "value": "/run/nvidia/mps"}]},
                manager("config-manager"),
            ],
            "volumes": [
                {"name": config_map, "configMap": {"name": config_map}},
                {"name": "config", "emptyDir": {}},
            ],
        },
    })
}

/// The same without a config, as the GPU operator makes it then; and with this strategy in its environment.
fn unmanaged(strategy: &str) -> Value {
    let mut pod = managed("gpu-operator", "configs");
    let containers = pod["spec"]["containers"].as_array_mut().unwrap();
    containers.truncate(1);
    containers[0]["env"] = json!([{"name": "MIG_STRATEGY", "value": strategy}]);
    pod
}

fn with_strategy(strategy: &str) -> Value {
    let mut pod = managed("gpu-operator", "configs");
    pod["spec"]["containers"][0]["env"] = json!([{"name": "MIG_STRATEGY", "value": strategy}]);
    pod
}

fn crashing() -> Value {
    let mut pod = managed("gpu-operator", "configs");
    pod["status"] = json!({"containerStatuses": [
        {"name": "nvidia-device-plugin", "state": {"running": {}}},
        {
            "name": "config-manager",
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s restarting failed container"}},
            "lastState": {"terminated": {
                "exitCode": 1, "message": "I1130 starting\nspecified config mig-1 does not exist\n",
            }},
        },
    ]});
    pod
}

fn cluster_policy(config: Value, strategy: &str) -> Value {
    json!({
        "apiVersion": "nvidia.com/v1", "kind": "ClusterPolicy", "metadata": {"name": "cluster-policy"},
        "spec": {"devicePlugin": {"enabled": true, "config": config}, "mig": {"strategy": strategy}},
    })
}

fn ours() -> Value {
    cluster_policy(json!({"name": "configs", "default": ""}), "")
}

fn target(cut: bool) -> Target {
    Target {
        gpus: vec![GpuTarget {
            uuid: "GPU-1".to_owned(),
            index: 0,
            mig: MigTarget {
                enabled: cut,
                instances: Vec::new(),
            },
            sharing: SharingTarget {
                r#type: StrategyType::Mig,
                ..SharingTarget::exclusive()
            },
        }],
        ..Target::default()
    }
}

fn stack(pods: &[Value], policies: &[Value]) -> Stack {
    let pod = |pod: &Value| PluginPod::of(&serde_json::from_value(pod.clone()).unwrap());
    Stack {
        config_map: ("gpu-operator".to_owned(), "configs".to_owned()),
        keys: ["mig-1".to_owned()].into(),
        cluster_policies: policies.iter().map(ClusterPolicyView::of).collect(),
        pods: pods.iter().filter_map(pod).collect(),
    }
}

fn found(pods: &[Value], policies: &[Value], cut: bool) -> Vec<String> {
    causes(&stack(pods, policies), &target(cut))
}

#[test]
fn where_everything_is_right_nothing_is_found() {
    assert_eq!(
        found(&[managed("gpu-operator", "configs")], &[ours()], true),
        [""; 0]
    );
    assert_eq!(
        found(&[managed("gpu-operator", "configs")], &[], true),
        [""; 0]
    );
}

#[test]
fn each_cause_is_found_and_nothing_else_with_it() {
    let good = || managed("gpu-operator", "configs");
    let unset = || cluster_policy(json!({"name": "", "default": ""}), "");
    let other = || cluster_policy(json!({"name": "theirs", "default": ""}), "");
    let keyed = || cluster_policy(json!({"name": "configs", "default": "any"}), "");
    let known = || cluster_policy(json!({"name": "configs", "default": "mig-1"}), "");
    let single = || cluster_policy(json!({"name": "configs"}), "single");
    let cases: [(Vec<Value>, Vec<Value>, &[&str]); 11] = [
        (
            vec![],
            vec![ours()],
            &["no pod of NVIDIA's device plugin runs on the node"],
        ),
        (
            vec![unmanaged("mixed")],
            vec![unset()],
            &["ClusterPolicy cluster-policy has no spec.devicePlugin.config.name"],
        ),
        (vec![unmanaged("mixed")], vec![], &["has no config manager"]),
        (
            vec![managed("gpu-operator", "theirs")],
            vec![other()],
            &[
                "spec.devicePlugin.config.name of ClusterPolicy cluster-policy is theirs",
                "reads ConfigMap theirs",
            ],
        ),
        (
            vec![good()],
            vec![keyed()],
            &["is any, which is no key of ConfigMap configs"],
        ),
        (vec![good()], vec![known()], &[]),
        (
            vec![managed("gpu-operator", "theirs")],
            vec![],
            &["reads ConfigMap theirs, and this operator writes configs"],
        ),
        (
            vec![managed("nvidia", "configs")],
            vec![],
            &[
                "cannot read ConfigMap gpu-operator/configs in another namespace; set devicePlugin.namespace",
            ],
        ),
        (
            vec![with_strategy("single")],
            vec![single()],
            &[
                "MIG_STRATEGY=single in its environment, which overrules mixed in the configuration; set spec.mig.strategy of \
               ClusterPolicy cluster-policy to \"\"",
            ],
        ),
        (
            vec![with_strategy("none")],
            vec![],
            &["take the variable (migStrategy in the plugin's chart) out"],
        ),
        (
            vec![crashing()],
            vec![ours()],
            &[
                "container config-manager is in CrashLoopBackOff: specified config mig-1 does not exist",
            ],
        ),
    ];
    for (pods, policies, expected) in cases {
        let found = found(&pods, &policies, true);
        assert_eq!(found.len(), expected.len(), "{expected:?}: {found:?}");
        for (sentence, part) in found.iter().zip(expected) {
            assert!(sentence.contains(part), "{part}: {sentence}");
        }
    }
}

#[test]
fn without_slices_the_strategy_of_the_environment_does_not_matter() {
    assert_eq!(found(&[with_strategy("mixed")], &[], false), [""; 0]);
    assert_eq!(found(&[with_strategy("mixed")], &[], true), [""; 0]);
}

/// `cmd/nvidia-device-plugin/main.go:227-230`.
#[test]
fn for_mps_the_strategy_of_the_environment_must_not_be_mixed() {
    let mut served = target(false);
    served.gpus[0].sharing.r#type = StrategyType::Mps;
    for (set, expected) in [("mixed", true), ("single", false), ("none", false)] {
        let pod = PluginPod::of(&serde_json::from_value(with_strategy(set)).unwrap());
        let stack = Stack {
            config_map: ("gpu-operator".to_owned(), "configs".to_owned()),
            pods: pod.into_iter().collect(),
            ..Stack::default()
        };
        let found = causes(&stack, &served);
        let says = "has MIG_STRATEGY=mixed in its environment, with which the plugin refuses MPS; take the variable";
        assert_eq!(
            found.iter().any(|cause| cause.contains(says)),
            expected,
            "{set}: {found:?}"
        );
        assert_eq!(found.len(), usize::from(expected), "{found:?}");
    }
}

#[test]
fn only_pods_of_the_plugin_that_stay_are_looked_at() {
    let of = |pod: Value| PluginPod::of(&serde_json::from_value(pod).unwrap());
    let mut leaving = managed("gpu-operator", "configs");
    leaving["metadata"]["deletionTimestamp"] = json!("2026-05-03T12:00:00Z");
    assert_eq!(of(leaving), None);
    let mut gfd = managed("gpu-operator", "configs");
    gfd["spec"]["containers"][0]["name"] = json!("gpu-feature-discovery");
    assert_eq!(of(gfd), None);
    let mut chart = managed("nvidia-device-plugin", "configs");
    chart["spec"]["containers"][0]["name"] = json!("nvidia-device-plugin-ctr");
    assert!(of(chart).is_some_and(|pod| pod.is_managed));
}

#[test]
fn a_restart_is_tried_only_where_nothing_is_seen_that_a_person_must_put_right() {
    let made_anew = |mut pod: Value| {
        pod["metadata"]["ownerReferences"] = json!([{
            "apiVersion": "apps/v1", "kind": "DaemonSet", "name": "d", "uid": "d", "controller": true,
        }]);
        pod
    };
    let good = || made_anew(managed("gpu-operator", "configs"));
    let cases: [(Vec<Value>, usize); 6] = [
        (vec![good()], 1),
        (vec![made_anew(crashing())], 1),
        (vec![], 0),
        (vec![managed("gpu-operator", "configs")], 0),
        (vec![made_anew(managed("gpu-operator", "theirs"))], 0),
        (vec![good(), made_anew(with_strategy("single"))], 0),
    ];
    for (pods, expected) in cases {
        let stack = stack(&pods, &[ours()]);
        let found = to_restart(&stack, &target(true));
        assert_eq!(found.len(), expected, "{pods:?}");
    }
}
