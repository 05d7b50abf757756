//! What is written of a policy, and what is not.

use k8s_openapi::api::core::v1::Node;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};

use super::*;
use crate::caches::{self, Fillers};
use crate::fake::{FakeApi, failure, plugin, read};

const STATUS: &str = "PATCH /apis/gpusharing.dev/v1alpha1/gpusharingpolicies/p/status";

fn policy(status: Option<&GpuSharingPolicyStatus>) -> Value {
    let mut policy = json!({
        "apiVersion": "gpusharing.dev/v1alpha1", "kind": "GpuSharingPolicy",
        "metadata": {"name": "p", "uid": "policy-uid", "generation": 1, "resourceVersion": "9"},
        "spec": {"strategy": {"type": "TimeSlicing", "timeSlicing": {"replicas": 4}}},
    });
    if let Some(status) = status {
        policy["status"] = json!(status);
    }
    policy
}

fn node(name: &str) -> Value {
    json!({
        "metadata": {"name": name, "uid": format!("uid-of-{name}")},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    })
}

/// A node that waits for nothing but a slot.
fn gpu_node(name: &str) -> Value {
    let gpu = json!({
        "index": 0, "uuid": "GPU-0", "product": "Tesla T4", "memoryMiB": 15360,
        "mig": {"current": "NotSupported", "pending": "NotSupported"},
    });
    json!({
        "apiVersion": "gpusharing.dev/v1alpha1", "kind": "GpuNode",
        "metadata": {"name": name, "uid": "g"},
        "spec": {},
        "status": {
            "agent": {"bootId": "b", "gpus": [gpu]},
            "maintenance": {
                "phase": "Pending",
                "conditions": [{
                    "type": "MaintenancePending", "status": "True", "reason": "AwaitingSlot",
                    "message": "", "lastTransitionTime": "2026-11-23T00:00:00Z",
                }],
            },
        },
    })
}

struct Kit {
    api: FakeApi,
    policies: Policies,
    fillers: Fillers,
}

impl Kit {
    fn new() -> Self {
        let api = FakeApi::default();
        let readiness = process::admin::Readiness::new();
        let (caches, mut fillers) = caches::new(&api.client(), &plugin(), &readiness);
        let nodes = ["n1", "n2"];
        let seen = nodes.map(|name| read::<Node>(node(name)));
        fillers.nodes.seed(seen);
        fillers
            .gpu_nodes
            .seed(nodes.map(|name| read(gpu_node(name))));
        let metrics = Metrics::register(&mut Registry::default());
        let policies = Policies::new(api.cluster(), caches, Arc::default(), metrics);
        Self {
            api,
            policies,
            fillers,
        }
    }

    /// A look at the policy with this status.
    async fn visit(&mut self, status: Option<&GpuSharingPolicyStatus>) -> Action {
        let policy: GpuSharingPolicy = read(policy(status));
        self.fillers.policies.seed([policy.clone()]);
        self.policies.visit(&Arc::new(policy)).await.unwrap()
    }
}

#[tokio::test]
async fn slots_are_granted_within_the_budget_at_the_version_that_was_seen() {
    let mut kit = Kit::new();
    kit.api.on(STATUS, 200, policy(None));
    kit.visit(None).await;
    let [asked] = &kit.api.writes()[..] else {
        panic!("{:?}", kit.api.writes())
    };
    assert_eq!(asked.kind, "application/apply-patch+yaml");
    assert_eq!(asked.body["metadata"]["resourceVersion"], "9");
    assert_eq!(asked.body["metadata"]["uid"], "policy-uid");
    let status = &asked.body["status"];
    let [slot] = &status["slots"].as_array().unwrap()[..] else {
        panic!("maxUnavailable is 1: {status}")
    };
    let granted = [&slot["node"], &slot["uid"]];
    assert_eq!(granted, ["n1", "uid-of-n1"]);
    assert_eq!(status["nodes"]["matched"], 2);
    assert_eq!(status["gpus"]["total"], 2);
}

#[tokio::test]
async fn a_status_that_says_nothing_new_is_not_written() {
    let mut kit = Kit::new();
    kit.api.on(STATUS, 200, policy(None));
    kit.visit(None).await;
    let written = &kit.api.writes()[0].body["status"];
    let written: GpuSharingPolicyStatus = read(written.clone());
    let next = kit.visit(Some(&written)).await;
    assert_eq!(kit.api.writes().len(), 1);
    assert_eq!(next, Action::requeue(PATIENCE));
}

#[tokio::test]
async fn a_slot_that_somebody_else_was_faster_than_is_decided_anew() {
    let mut kit = Kit::new();
    kit.api
        .on(STATUS, 409, failure(409, "Conflict", "modified"));
    let next = kit.visit(None).await;
    assert_eq!(next, Action::requeue(SOON));
    assert_eq!(kit.api.writes().len(), 1, "and nothing is told");
}

#[tokio::test]
async fn a_node_that_only_holds_a_slot_is_looked_at_until_it_gives_it_back() {
    let mut kit = Kit::new();
    let mut lost = gpu_node("n1");
    lost["status"]["maintenance"] = json!({"phase": "Draining", "operationId": 5});
    kit.fillers.gpu_nodes.seed([read(lost)]);
    let slot =
        json!({"node": "n1", "uid": "uid-of-n1", "operation": 5, "since": "2026-11-23T00:00:00Z"});
    let status = read(json!({"slots": [slot]}));
    // Its labels select it no more.
    let mut narrow = policy(Some(&status));
    narrow["spec"]["nodeSelector"] = json!({"matchLabels": {"pool": "other"}});
    let narrow: GpuSharingPolicy = read(narrow);
    kit.fillers.policies.seed([narrow.clone()]);
    let (caches, wishes) = (&kit.policies.caches, &kit.policies.wishes);
    let [summary] = &summaries::of(caches, wishes, &narrow)[..] else {
        panic!("one node")
    };
    assert!(!summary.won);
    assert_eq!(
        (summary.phase, summary.operation_id),
        (crds::gpu_node::Phase::Draining, 5)
    );
}
