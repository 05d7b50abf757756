use k8s_openapi::api::core::v1::Node;
use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};

use super::*;
use crate::caches;
use crate::fake::{FakeApi, plugin, read};

fn policy() -> Value {
    json!({
        "apiVersion": "gpusharing.dev/v1alpha1", "kind": "GpuSharingPolicy",
        "metadata": {"name": "p", "uid": "u"},
        "spec": {"strategy": {"type": "Exclusive"}, "maintenance": {"maxUnavailable": "50%"}},
        "status": {
            "nodes": {"matched": 5},
            "slots": [{"node": "n1", "uid": "u", "operation": 1, "since": "2026-11-23T00:00:00Z"}],
            "conditions": [{
                "type": "WindowOpen", "status": "True", "reason": "x", "message": "",
                "lastTransitionTime": "2026-11-23T00:00:00Z",
            }],
        },
    })
}

#[tokio::test]
async fn a_scrape_tells_the_state_of_the_fleet() {
    let api = FakeApi::default();
    let readiness = process::admin::Readiness::new();
    let (caches, mut fillers) = caches::new(&api.client(), &plugin(), &readiness);
    let marker = json!({names::ANNOTATION_OPERATION: "1"});
    let node = json!({"metadata": {"name": "n1", "annotations": marker}});
    let since = Timestamp::now() - jiff::SignedDuration::from_secs(90);
    let gpu_node = json!({
        "apiVersion": "gpusharing.dev/v1alpha1", "kind": "GpuNode",
        "metadata": {"name": "n1", "uid": "g"},
        "spec": {},
        "status": {"maintenance": {"phase": "Draining", "startedAt": since.to_string()}},
    });
    fillers.nodes.seed([read::<Node>(node)]);
    fillers.gpu_nodes.seed([read(gpu_node)]);
    fillers.policies.seed([read(policy())]);

    let mut registry = Registry::with_prefix("gpusharing");
    registry.register_collector(Box::new(Fleet::new(caches, || true)));
    let mut scraped = String::new();
    text::encode(&mut scraped, &registry).unwrap();
    for line in [
        "gpusharing_leader 1",
        "gpusharing_nodes{phase=\"Draining\"} 1",
        "gpusharing_nodes{phase=\"InSync\"} 0",
        "gpusharing_node_cordoned_seconds{node=\"n1\"} 9", // 90 or a little more
        "gpusharing_policy_slots_used{policy=\"p\"} 1",
        "gpusharing_policy_slots_limit{policy=\"p\"} 2",
        "gpusharing_policy_window_open{policy=\"p\"} 1",
    ] {
        assert!(scraped.contains(line), "{line} in {scraped}");
    }
}

#[test]
fn a_cordon_counts_from_when_it_was_seen_and_until_then_from_the_operations_begin() {
    let (began, cordoned) = ("2026-11-23T00:00:00Z", "2026-11-23T00:01:00Z");
    for (expected, status) in [(cordoned, "True"), (began, "False")] {
        let maintenance: MaintenanceStatus = read(json!({
            "startedAt": began,
            "conditions": [{
                "type": "Cordoned", "status": status, "reason": "x", "message": "",
                "lastTransitionTime": cordoned,
            }],
        }));
        let since = cordoned_since(&maintenance);
        assert_eq!(since, Some(expected.parse().unwrap()), "{status}");
    }
}
