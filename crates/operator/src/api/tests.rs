//! What goes over the wire.

use std::time::Duration;

use crds::gpu_node::{MaintenanceStatus, Phase, PodReference};
use crds::{GpuNode, GpuNodeSpec, GpuSharingPolicy, GpuSharingPolicyStatus, names};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ConfigMap, Node};
use plan::drain::Reply;
use plan::plugin_config::entries;
use plan::reason::Reason;
use serde_json::{Value, json};

use super::*;
use crate::fake::{FakeApi, failure, read};

fn node() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {
            "name": "n1", "uid": "node-uid", "resourceVersion": "7",
            "labels": {"zone": "a", names::LABEL_STRATEGY: "mig"},
        },
        "spec": {"taints": [{"key": "theirs", "effect": "NoExecute"}]},
    })
}

#[tokio::test]
async fn one_patch_cordons_marks_taints_and_withdraws_the_guarantees() {
    let api = FakeApi::default();
    api.on("PATCH /api/v1/nodes/n1", 200, node());
    let done = api
        .cluster()
        .cordon(&read(node()), 17, false)
        .await
        .unwrap();
    assert!(matches!(done, Written::Done(_)));
    let [asked] = &api.asked()[..] else {
        panic!("{:?}", api.asked())
    };
    assert!(
        asked
            .query
            .contains("fieldManager=gpu-sharing-operator-cordon")
    );
    assert_eq!(asked.kind, "application/merge-patch+json");
    let expected = json!({
        "metadata": {
            "resourceVersion": "7",
            "annotations": {
                "gpusharing.dev/maintenance-op": "17",
                "gpusharing.dev/pre-cordoned": "false",
            },
            "labels": {"gpusharing.dev/strategy": null},
        },
        "spec": {
            "unschedulable": true,
            "taints": [
                {"key": "theirs", "effect": "NoExecute"},
                {"key": "gpusharing.dev/maintenance", "effect": "NoSchedule"},
            ],
        },
    });
    assert_eq!(asked.body, expected);
}

#[tokio::test]
async fn one_patch_uncordons_and_unmarks_and_a_foreign_cordon_is_not_written() {
    let mut marked = node();
    let ours = json!({"key": names::TAINT_MAINTENANCE, "effect": "NoSchedule"});
    marked["spec"]["taints"].as_array_mut().unwrap().push(ours);
    for schedulable in [true, false] {
        let api = FakeApi::default();
        api.on("PATCH /api/v1/nodes/n1", 200, node());
        let labels = [(names::LABEL_POLICY.to_owned(), Some("p".to_owned()))].into();
        let marked = read(marked.clone());
        let done = api.cluster().uncordon(&marked, schedulable, &labels).await;
        assert!(matches!(done, Ok(Written::Done(_))));
        let mut expected = json!({
            "metadata": {
                "resourceVersion": "7",
                "annotations": {
                    "gpusharing.dev/maintenance-op": null,
                    "gpusharing.dev/pre-cordoned": null,
                },
                "labels": {"gpusharing.dev/policy": "p"},
            },
            "spec": {"taints": [{"key": "theirs", "effect": "NoExecute"}]},
        });
        if schedulable {
            expected["spec"]["unschedulable"] = json!(false);
        }
        assert_eq!(api.asked()[0].body, expected, "schedulable {schedulable}");
    }
}

#[tokio::test]
async fn a_write_that_somebody_else_was_faster_than_is_no_failure() {
    let page = json!("404 page not found");
    for (code, body, expected) in [
        (
            409,
            failure(409, "Conflict", "modified"),
            Some(Written::Outdated),
        ),
        (
            404,
            failure(404, "NotFound", "deleted"),
            Some(Written::Outdated),
        ),
        // Nobody was faster: this API server does not know the kind.
        (404, page, None),
    ] {
        let api = FakeApi::default();
        api.on("PATCH /api/v1/nodes/n1", code, body);
        let labelled = api.cluster().label(&read(node()), &[].into()).await;
        assert_eq!(labelled.ok(), expected, "{code}");
    }
}

#[tokio::test]
async fn a_node_without_a_version_is_never_written() {
    let api = FakeApi::default();
    let mut blind: Node = read(node());
    blind.metadata.resource_version = None;
    let error = api.cluster().cordon(&blind, 1, false).await.unwrap_err();
    assert_eq!(error.reason(), Reason::Incomplete);
    assert_eq!(api.asked(), []);
}

fn pod() -> PodReference {
    PodReference {
        namespace: "jobs".to_owned(),
        name: "p1".to_owned(),
        uid: "pod-uid".to_owned(),
    }
}

const EVICTION: &str = "POST /api/v1/namespaces/jobs/pods/p1/eviction";

#[tokio::test]
async fn an_eviction_names_the_uid_and_the_grace_period() {
    for grace in [None, Some(7)] {
        let api = FakeApi::default();
        api.on(
            EVICTION,
            201,
            json!({"kind": "Status", "status": "Success"}),
        );
        let answer = api.cluster().evict(&pod(), grace).await.unwrap();
        assert_eq!(Reply::of(&answer), Reply::Accepted);
        let mut options = json!({"preconditions": {"uid": "pod-uid"}});
        if let Some(grace) = grace {
            options["gracePeriodSeconds"] = json!(grace);
        }
        let expected = json!({
            "apiVersion": "policy/v1", "kind": "Eviction",
            "metadata": {"namespace": "jobs", "name": "p1"},
            "deleteOptions": options,
        });
        assert_eq!(api.asked()[0].body, expected);
    }
}

#[tokio::test]
async fn every_answer_to_an_eviction_is_read_for_what_it_is() {
    let several = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
    let mut budget = failure(429, "TooManyRequests", "Cannot evict pod");
    budget["details"] = json!({
        "retryAfterSeconds": 10,
        "causes": [{"reason": "DisruptionBudget", "message": "The disruption budget b needs 2 healthy pods and has 2 currently"}],
    });
    let denied = "admission webhook \"keep.example.com\" denied the request: not today";
    let mut ending = failure(403, "Forbidden", "namespace jobs is being terminated");
    ending["details"] = json!({"causes": [{"reason": "NamespaceTerminating", "message": "jobs"}]});
    for (code, body, expected) in [
        // 201, and yet refused.
        (
            201,
            failure(500, "", several),
            Reply::Budgets(several.to_owned()),
        ),
        (404, failure(404, "NotFound", "gone"), Reply::Gone),
        (403, ending, Reply::NamespaceEnding),
        (
            400,
            failure(400, "BadRequest", denied),
            Reply::Failed(denied.to_owned()),
        ),
        (409, failure(409, "Conflict", "uid"), Reply::Stale),
        (
            429,
            failure(429, "TooManyRequests", "slow down"),
            Reply::Throttled(None),
        ),
        (
            403,
            failure(403, "Forbidden", "no"),
            Reply::Forbidden("no".to_owned()),
        ),
        (
            429,
            budget,
            Reply::Budget {
                message: "The disruption budget b needs 2 healthy pods and has 2 currently"
                    .to_owned(),
                after: Some(Duration::from_secs(10)),
            },
        ),
    ] {
        let api = FakeApi::default();
        api.on(EVICTION, code, body);
        let answer = api.cluster().evict(&pod(), None).await.unwrap();
        assert_eq!(Reply::of(&answer), expected);
        assert_eq!(api.asked().len(), 1, "sent once: {expected:?}");
    }
}

#[tokio::test]
async fn nothing_is_written_under_a_lease_that_ends_too_soon() {
    let api = FakeApi::default();
    let lasting = Duration::from_secs(4);
    let cluster = Cluster {
        fence: Fence::by(Duration::from_secs(5), move |at_least| lasting >= at_least),
        ..api.cluster()
    };
    let node: Node = read(node());
    let (gpu_node, status) = (gpu_node(), MaintenanceStatus::default());
    let policy: GpuSharingPolicy = read(json!({
        "metadata": {"name": "p", "uid": "policy-uid", "resourceVersion": "5"},
        "spec": {"strategy": {"type": "Exclusive"}},
    }));
    let configs = ConfigMap::default();
    for error in [
        cluster.evict(&pod(), None).await.unwrap_err(),
        cluster.delete(&pod(), None).await.unwrap_err(),
        cluster.cordon(&node, 1, false).await.unwrap_err(),
        cluster.uncordon(&node, true, &[].into()).await.unwrap_err(),
        cluster.label(&node, &[].into()).await.unwrap_err(),
        cluster
            .apply_spec(&gpu_node, None, &GpuNodeSpec::default())
            .await
            .unwrap_err(),
        cluster
            .apply_maintenance(&gpu_node, &status)
            .await
            .unwrap_err(),
        cluster
            .apply_policy_status(&policy, &GpuSharingPolicyStatus::default())
            .await
            .unwrap_err(),
        cluster
            .publish_config(Some(&configs), "key", "text", Timestamp::UNIX_EPOCH)
            .await
            .unwrap_err(),
        cluster
            .publish_config(None, "key", "text", Timestamp::UNIX_EPOCH)
            .await
            .unwrap_err(),
    ] {
        assert_eq!(error.reason(), Reason::LeaseEnds);
    }
    assert_eq!(api.asked(), []);
}

#[tokio::test]
async fn a_forced_deletion_names_the_uid_and_never_a_grace_of_zero() {
    let api = FakeApi::default();
    let path = "DELETE /api/v1/namespaces/jobs/pods/p1";
    api.on(
        path,
        200,
        json!({"kind": "Pod", "metadata": {"name": "p1"}}),
    );
    let answer = api.cluster().delete(&pod(), Some(0)).await.unwrap();
    assert_eq!(Reply::of(&answer), Reply::Accepted);
    let expected = json!({"gracePeriodSeconds": 1, "preconditions": {"uid": "pod-uid"}});
    assert_eq!(api.asked()[0].body, expected);
}

fn gpu_node() -> GpuNode {
    read(json!({
        "apiVersion": "gpusharing.dev/v1alpha1", "kind": "GpuNode",
        "metadata": {"name": "n1", "uid": "gpu-node-uid", "resourceVersion": "3"},
        "spec": {},
    }))
}

#[tokio::test]
async fn spec_and_owner_go_together_at_the_version_that_was_read() {
    let api = FakeApi::default();
    let path = "PATCH /apis/gpusharing.dev/v1alpha1/gpunodes/n1";
    api.on(path, 200, json!(gpu_node()));
    let node: Node = read(node());
    let spec = GpuNodeSpec::default();
    let done = api
        .cluster()
        .apply_spec(&gpu_node(), Some(&node), &spec)
        .await;
    assert!(matches!(done, Ok(Written::Done(_))));
    let asked = &api.asked()[0];
    assert_eq!(asked.kind, "application/apply-patch+yaml");
    assert!(asked.query.contains("fieldManager=gpu-sharing-operator"));
    let expected = json!({
        "apiVersion": "gpusharing.dev/v1alpha1", "kind": "GpuNode",
        "metadata": {
            "name": "n1", "uid": "gpu-node-uid", "resourceVersion": "3",
            "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": "node-uid"}],
        },
        "spec": {},
    });
    assert_eq!(asked.body, expected);
}

/// An apply of the empty spec would make it null, which the API server refuses.
#[tokio::test]
async fn a_spec_that_asks_for_nothing_any_more_is_merged_member_by_member() {
    let api = FakeApi::default();
    let path = "PATCH /apis/gpusharing.dev/v1alpha1/gpunodes/n1";
    api.on(path, 200, json!(gpu_node()));
    let mut asked = gpu_node();
    asked.spec = read(json!({"operation": {"id": 17, "class": "Gpus", "stage": "Abort"}}));
    let node: Node = read(node());
    let nothing = GpuNodeSpec::default();
    let cluster = api.cluster();
    cluster
        .apply_spec(&asked, Some(&node), &nothing)
        .await
        .unwrap();
    let asked = &api.asked()[0];
    assert_eq!(asked.kind, "application/merge-patch+json");
    assert!(!asked.query.contains("force"), "{}", asked.query);
    assert_eq!(asked.body["spec"], json!({"operation": null}));
    assert_eq!(asked.body["metadata"]["resourceVersion"], "3");
    assert_eq!(
        asked.body["metadata"]["ownerReferences"][0]["uid"],
        "node-uid"
    );
}

#[tokio::test]
async fn the_status_of_maintenance_is_all_that_is_written_of_the_status() {
    let api = FakeApi::default();
    let path = "PATCH /apis/gpusharing.dev/v1alpha1/gpunodes/n1/status";
    api.on(path, 200, json!(gpu_node()));
    let status = MaintenanceStatus {
        phase: Phase::Pending,
        ..MaintenanceStatus::default()
    };
    let done = api.cluster().apply_maintenance(&gpu_node(), &status).await;
    assert!(matches!(done, Ok(Written::Done(_))));
    let body = &api.asked()[0].body;
    assert_eq!(body["metadata"]["resourceVersion"], "3");
    assert_eq!(body["status"], json!({"maintenance": status}));
}

const CONFIGS: &str = "/api/v1/namespaces/gpu-operator/configmaps";

#[tokio::test]
async fn a_config_is_put_beside_the_others_or_into_a_new_map() {
    let map =
        json!({"metadata": {"name": "configs", "resourceVersion": "5"}, "data": {"old": "o"}});
    let api = FakeApi::default();
    api.on(&format!("PATCH {CONFIGS}/configs"), 200, map.clone());
    api.on(&format!("POST {CONFIGS}"), 201, map.clone());
    let (cluster, found) = (api.cluster(), read::<ConfigMap>(map));
    let since = "2026-05-03T12:00:00.000001Z";
    for found in [Some(&found), None] {
        let since = since.parse().unwrap();
        let done = cluster.publish_config(found, "mig-1", "text", since).await;
        assert!(matches!(done, Ok(Written::Done(_))));
    }
    let (data, notes) = (
        json!({"mig-1": "text"}),
        json!({"published.gpusharing.dev/mig-1": since}),
    );
    let expected =
        json!({"metadata": {"resourceVersion": "5", "annotations": notes}, "data": data});
    assert_eq!(api.asked()[0].body, expected);
    assert_eq!(api.asked()[1].body["data"], data);
    assert_eq!(api.asked()[1].body["metadata"]["annotations"], notes);
    let entry = &entries(&read(api.asked()[1].body.clone()))["mig-1"];
    assert_eq!(
        entry.since,
        Some(since.parse().unwrap()),
        "as it is read back"
    );
}

#[tokio::test]
async fn a_missing_plugin_namespace_is_called_by_its_name() {
    let api = FakeApi::default();
    let error = api
        .cluster()
        .publish_config(None, "key", "text", Timestamp::UNIX_EPOCH)
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("namespace gpu-operator does not exist"),
        "{text}"
    );
    assert!(text.contains("--device-plugin-namespace"), "{text}");
}

#[tokio::test]
async fn an_event_about_a_pod_is_kept_where_its_owner_looks() {
    let api = FakeApi::default();
    let notice = Notice {
        kind: plan::maintenance::EventKind::Normal,
        reason: plan::reason::Reason::Evicted,
        note: "evicted for operation 17".to_owned(),
    };
    let long = PodReference {
        name: format!("{}-{}", "a".repeat(235), "b".repeat(17)),
        ..pod()
    };
    for pod in [pod(), long] {
        api.cluster().tell(&Object::pod(&pod), &notice).await;
        let asked = api.asked().pop().unwrap();
        assert_eq!(
            asked.what,
            "POST /apis/events.k8s.io/v1/namespaces/jobs/events"
        );
        let regarding = &asked.body["regarding"];
        assert_eq!(regarding["kind"], "Pod");
        assert_eq!(regarding["namespace"], "jobs");
        assert_eq!(regarding["name"], pod.name);
        assert_eq!(regarding["uid"], "pod-uid");
        let name = asked.body["metadata"]["name"].as_str().unwrap();
        assert!(name.len() <= 253 && !name.contains("-."), "{name}");
    }
}

#[tokio::test]
async fn budgets_are_listed_by_namespace_and_one_that_cannot_be_read_stops_nothing() {
    let api = FakeApi::default();
    let list = |namespace: &str| {
        format!("GET /apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets")
    };
    let budget = json!({
        "metadata": {"namespace": "jobs", "name": "web", "generation": 2},
        "status": {
            "observedGeneration": 2, "disruptionsAllowed": 0, "currentHealthy": 3, "desiredHealthy": 3,
            "expectedPods": 3,
        },
    });
    let budgets = json!({"metadata": {}, "items": [budget]});
    api.on(&list("jobs"), 200, budgets);
    api.on(&list("other"), 403, failure(403, "Forbidden", "no"));
    let cluster = api.cluster();
    let read = cluster.budgets(&["jobs", "other"].into()).await;
    let [budget] = &read[..] else {
        panic!("{read:?}")
    };
    assert_eq!((budget.name.as_str(), budget.wanted), ("web", 3));
    assert_eq!(api.asked().len(), 2);
}

#[tokio::test]
async fn an_event_says_what_happened_to_whom() {
    let api = FakeApi::default();
    let notice = Notice {
        kind: plan::maintenance::EventKind::Warning,
        reason: Reason::DrainBlocked,
        note: "work/p1 waits for its budget".to_owned(),
    };
    api.cluster().tell(&Object::of(&gpu_node()), &notice).await;
    let asked = &api.asked()[0];
    assert_eq!(
        asked.what,
        "POST /apis/events.k8s.io/v1/namespaces/default/events"
    );
    let said = ["type", "reason", "note", "reportingInstance"].map(|key| &asked.body[key]);
    assert_eq!(
        said,
        [
            "Warning",
            "DrainBlocked",
            "work/p1 waits for its budget",
            "operator-0"
        ]
    );
    assert_eq!(asked.body["regarding"]["uid"], "gpu-node-uid");
}
