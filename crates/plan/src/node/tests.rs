use serde_json::{Value, json};

use super::*;

fn view(node: Value) -> NodeView {
    NodeView::of(&serde_json::from_value(node).unwrap())
}

fn cordoned_by(manager: &str) -> Value {
    json!({
        "metadata": {
            "name": "n1", "uid": "u1",
            "annotations": {"gpusharing.dev/maintenance-op": "7", "gpusharing.dev/pre-cordoned": "false"},
            "managedFields": [
                {"manager": "kubelet", "fieldsV1": {"f:status": {}}},
                {"manager": manager, "fieldsV1": {"f:spec": {"f:unschedulable": {}}}},
            ],
        },
        "spec": {
            "unschedulable": true,
            "taints": [{"key": "gpusharing.dev/maintenance", "effect": "NoSchedule"}],
        },
    })
}

#[test]
fn a_cordon_is_ours_only_while_the_field_is() {
    for (manager, ours) in [
        ("gpu-sharing-operator-cordon", true),
        ("kubectl", false),
        ("gpu-sharing-operator", false),
    ] {
        assert_eq!(view(cordoned_by(manager)).cordon_is_ours, ours, "{manager}");
    }
}

#[test]
fn the_marker_is_read_with_its_memory() {
    let node = view(cordoned_by("gpu-sharing-operator-cordon"));
    assert_eq!(node.operation, Some(7));
    assert!(!node.pre_cordoned);
    assert!(node.unschedulable && node.tainted);
    assert!(!node.ready && !node.hold);
}

#[test]
fn a_marker_that_is_no_number_is_still_a_marker() {
    let node =
        view(json!({"metadata": {"annotations": {"gpusharing.dev/maintenance-op": "seven"}}}));
    assert_eq!(node.operation, Some(0));
}

#[test]
fn only_gpu_resources_of_which_there_are_any_count() {
    let node = view(json!({
        "metadata": {"labels": {
            "gpusharing.dev/strategy": "mig", "pool": "a", "nvidia.com/device-plugin.config": "mig-1-a",
        }},
        "status": {
            "allocatable": {
                "cpu": "4", "memory": "1Gi", "nvidia.com/gpu": "0", "nvidia.com/mig-1g.5gb": "7",
                "nvidia.com/gpu.shared": "4", "nvidia.com/gpumem": "1000",
            },
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }));
    let expected = [("nvidia.com/gpu.shared", 4), ("nvidia.com/mig-1g.5gb", 7)];
    assert_eq!(
        node.resources,
        expected.map(|(name, n)| (name.to_owned(), n)).into()
    );
    assert_eq!(node.guarantees.len(), 1);
    assert_eq!(node.plugin_config.as_deref(), Some("mig-1-a"));
    assert!(node.ready);
}

#[test]
fn a_person_holds_a_node_with_any_word_but_false() {
    for (value, hold) in [("", true), ("true", true), ("false", false)] {
        let node = view(json!({"metadata": {"annotations": {"gpusharing.dev/hold": value}}}));
        assert_eq!(node.hold, hold, "{value:?}");
    }
}
