use jiff::SignedDuration;
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
    }}));
    let expected = [("nvidia.com/gpu", 1), ("nvidia.com/mig-1g.5gb", 3)];
    assert_eq!(
        pod.gpus,
        expected.map(|(name, n)| (name.to_owned(), n)).into()
    );
}

#[test]
fn a_pod_has_its_gpus_since_the_first_of_their_containers_runs() {
    let gpu = || json!({"limits": {"nvidia.com/gpu": "1"}});
    let runs =
        |name: &str, at: &str| json!({"name": name, "state": {"running": {"startedAt": at}}});
    let pod = |statuses: Value| {
        view(json!({
            "metadata": {},
            "spec": {
                "initContainers": [{"name": "sidecar", "restartPolicy": "Always", "resources": gpu()}],
                "containers": [
                    {"name": "one", "resources": gpu()},
                    {"name": "two", "resources": gpu()},
                    {"name": "log"},
                ],
            },
            "status": statuses,
        }))
    };
    let (early, first, second) = (
        "2026-01-01T00:00:01Z",
        "2026-01-01T00:00:02Z",
        "2026-01-01T00:00:03Z",
    );
    let crashed = json!({"name": "one", "state": {"waiting": {"reason": "CrashLoopBackOff"}}});
    for (statuses, expected) in [
        (json!({}), None),
        (json!({"containerStatuses": [runs("log", early)]}), None),
        (
            json!({"containerStatuses": [runs("two", second), runs("one", first), runs("log", early)]}),
            Some(first),
        ),
        (
            json!({"containerStatuses": [crashed.clone(), runs("two", second)]}),
            Some(second),
        ),
        (json!({"containerStatuses": [crashed]}), None),
        (
            json!({"initContainerStatuses": [runs("sidecar", early)]}),
            Some(early),
        ),
    ] {
        let since = pod(statuses.clone()).gpu_since;
        assert_eq!(since, expected.map(|at| at.parse().unwrap()), "{statuses}");
    }
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
    assert_eq!(pod.leaving_until, "2026-01-01T00:00:30Z".parse().ok());
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

#[test]
fn priority_and_class_say_who_leaves_last() {
    for (spec, tier) in [
        (json!({}), Tier::Ordinary),
        (json!({"priority": 1_999_999_999}), Tier::Ordinary),
        (json!({"priority": 2_000_000_000}), Tier::SystemCritical),
        (json!({"priority": 2_000_001_000}), Tier::SystemCritical),
        (
            json!({"priority": -5, "priorityClassName": "low"}),
            Tier::Ordinary,
        ),
        (
            json!({"priorityClassName": "system-node-critical"}),
            Tier::SystemCritical,
        ),
        (
            json!({"priorityClassName": "system-cluster-critical"}),
            Tier::SystemCritical,
        ),
        (
            json!({"priorityClassName": "system-node-critical-not"}),
            Tier::Ordinary,
        ),
    ] {
        let mut full = spec.clone();
        full["containers"] = json!([]);
        let pod = view(json!({"metadata": {}, "spec": full}));
        assert_eq!(pod.tier, tier, "{spec}");
    }
    assert!(Tier::Ordinary < Tier::SystemCritical);
}

#[test]
fn what_keeps_a_pod_and_how_long_it_gets_to_end_is_seen() {
    let pod = view(json!({
        "metadata": {"finalizers": ["example.com/a"]},
        "spec": {"containers": [], "terminationGracePeriodSeconds": 0},
    }));
    assert_eq!(
        (pod.own_grace, pod.finalizers),
        (0, vec!["example.com/a".to_owned()])
    );
    let plain = view(json!({"metadata": {}, "spec": {"containers": []}}));
    assert_eq!((plain.own_grace, plain.finalizers), (30, vec![]));
}

#[test]
fn what_dies_with_a_pod_is_an_empty_dir_in_memory_or_not() {
    for (volume, dies) in [
        (json!({"emptyDir": {}}), true),
        (json!({"emptyDir": {"medium": "Memory"}}), true),
        (json!({"hostPath": {"path": "/data"}}), false),
        (
            json!({"persistentVolumeClaim": {"claimName": "data"}}),
            false,
        ),
    ] {
        let mut named = volume.clone();
        named["name"] = json!("data");
        let spec = json!({"containers": [], "volumes": [named]});
        let pod = view(json!({"metadata": {}, "spec": spec}));
        assert_eq!(pod.empty_dir, dies, "{volume}");
    }
}
