use serde_json::{Value, json};

use super::*;

fn view(pod: Value) -> PodView {
    PodView::of(&serde_json::from_value(pod).unwrap())
}

fn owned_by(api: &str, kind: &str, controller: bool) -> Controller {
    let owner =
        json!({"apiVersion": api, "kind": kind, "name": "x", "uid": "x", "controller": controller});
    view(json!({"metadata": {"ownerReferences": [owner]}})).controller
}

#[test]
fn the_controller_is_the_owner_that_says_so() {
    assert_eq!(
        owned_by("apps/v1", "DaemonSet", true),
        Controller::DaemonSet
    );
    assert_eq!(owned_by("v1", "Node", true), Controller::Kubelet);
    assert_eq!(
        owned_by("batch/v1", "Job", true),
        Controller::Other("Job".into())
    );
    assert_eq!(
        owned_by("other.io/v1", "DaemonSet", true),
        Controller::Other("DaemonSet".into())
    );
    assert_eq!(owned_by("apps/v1", "ReplicaSet", false), Controller::None);
    assert_eq!(view(json!({"metadata": {}})).controller, Controller::None);
    let mirror = json!({"metadata": {"annotations": {"kubernetes.io/config.mirror": "x"}}});
    assert_eq!(view(mirror).controller, Controller::Kubelet);
}

#[test]
fn init_containers_count_for_what_they_ask() {
    let asks = |count: &str| json!({"limits": {"nvidia.com/mig-1g.5gb": count, "cpu": "1"}});
    let pod = view(json!({"metadata": {}, "spec": {
        "initContainers": [
            {"name": "first", "resources": asks("3")},
            {"name": "sidecar", "restartPolicy": "Always", "resources": asks("1")},
        ],
        "containers": [
            {"name": "one", "resources": asks("1")},
            {"name": "two", "resources": {"requests": {"nvidia.com/gpu": "1"}}},
        ],
        "volumes": [{"name": "scratch", "emptyDir": {"medium": "Memory"}}],
    }}));
    let expected = [("nvidia.com/gpu", 1), ("nvidia.com/mig-1g.5gb", 3)];
    assert_eq!(
        pod.gpus,
        expected.map(|(name, n)| (name.to_owned(), n)).into()
    );
    assert!(pod.empty_dir);
}

#[test]
fn a_pod_leaves_since_it_was_asked_to_and_not_until_its_grace_is_over() {
    let pod = view(json!({
        "metadata": {"deletionTimestamp": "2026-01-01T00:00:30Z", "deletionGracePeriodSeconds": 30},
        "status": {"phase": "Running", "startTime": "2025-01-01T00:00:00Z", "conditions": [
            {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2024-12-31T23:59:59Z"},
        ]},
    }));
    assert_eq!(pod.leaving_since, "2026-01-01T00:00:00Z".parse().ok());
    assert_eq!(pod.started, "2025-01-01T00:00:00Z".parse().ok());
    assert_eq!(pod.bound, "2024-12-31T23:59:59Z".parse().ok());
    assert!(!pod.finished);
}

#[test]
fn protection_lasts_as_long_as_it_says_and_no_unreadable_word_protects() {
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let at = |minutes: i64| start + SignedDuration::from_mins(minutes);
    for (value, minute, until) in [
        ("true", 600, Until::Forever),
        ("false", 0, Until::Never),
        ("30m", 29, Until::At(at(30))),
        ("30m", 30, Until::Never),
        ("2h30m", 149, Until::At(at(150))),
        ("yes please", 0, Until::Never),
        ("-5m", 0, Until::Never),
    ] {
        let protection = Protection::parse(value);
        assert_eq!(
            protection.until(Some(start), at(minute)),
            until,
            "{value} at minute {minute}"
        );
    }
    assert_eq!(
        Protection::parse("30m").until(None, at(7)),
        Until::At(at(37))
    );
    assert_eq!(
        Protection::parse("soon"),
        Protection::Unreadable("soon".into())
    );
}
