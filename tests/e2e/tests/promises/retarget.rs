//! A policy that changes its mind while a node is drained: no pod lands in between, and nothing is cut for nothing.

use crds::gpu_node::{OperationResult, Phase};
use e2e::Workload;
use k8s_openapi::api::core::v1::Node;
use kube::ResourceExt;
use serde_json::json;

use crate::look::{FREE, OURS, standing};
use crate::scene::{GPU, SEVEN, Scene, a100, spec};

/// A node that is being drained for seven slices; its pod may not leave yet.
async fn draining() -> Scene {
    let scene = Scene::start([a100("n1")]).await;
    scene.run_one(&Workload::new("model").asks(GPU, 1)).await;
    scene.protect("model").await;
    scene.policy("p", &spec("n1", SEVEN, "")).await;
    scene.wait_phase("n1", Phase::Draining).await;
    assert_eq!(scene.standing("n1").await, OURS);
    scene
}

#[tokio::test]
async fn another_layout_is_followed_under_the_same_cordon() {
    let scene = draining().await;
    let nodes = scene.watch_nodes().await;
    let first = scene.cluster.gpu_nodes().get("n1").await.unwrap();
    let first = crate::look::maintenance(&first).operation_id;

    let halves = json!({"strategy": {"mig": {"layout": {"1g.5gb": null, "3g.20gb": 2}}}});
    let policy = scene.change_policy("p", halves).await;
    let is_next = |status: &crds::gpu_node::MaintenanceStatus| status.operation_id == first + 1;
    scene
        .wait_node("n1", "has begun the next operation", is_next)
        .await;
    scene.wait_phase("n1", Phase::Draining).await;
    scene.unprotect("model").await;
    let done = scene.in_sync("n1", &policy).await;

    assert_eq!(scene.slices("n1"), ["3g.20gb"; 2]);
    let results: Vec<_> = done.history.iter().map(|it| (it.id, it.result)).collect();
    let (succeeded, released) = (OperationResult::Succeeded, OperationResult::Released);
    assert_eq!(results, [(first + 1, succeeded), (first, released)]);
    scene.wait_standing("n1", FREE).await;
    let is_open = |node: &Node| node.name_any() == "n1" && standing(node) == FREE;
    let open = nodes.steps(is_open).await.unwrap();
    assert_eq!(
        open.iter().filter(|is| **is).count(),
        1,
        "open only in the end: {open:?}"
    );
    scene.events_until("n1", "Retargeted").await;
}

#[tokio::test]
async fn a_wish_that_is_taken_back_changes_no_slice_and_evicts_nobody() {
    let scene = draining().await;
    let pod = scene.running("model", 1).await.remove(0);
    let whole = json!({"strategy": {"type": "Exclusive", "mig": null}});
    let policy = scene.change_policy("p", whole).await;
    let done = scene.in_sync("n1", &policy).await;
    assert_eq!(done.history[0].result, OperationResult::Released);
    assert_eq!(done.history[0].reason, "TargetChanged");
    scene.wait_standing("n1", FREE).await;
    assert!(scene.slices("n1").is_empty());
    assert_eq!(scene.running("model", 1).await[0].uid(), pod.uid());
}
