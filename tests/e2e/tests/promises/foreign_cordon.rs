//! An administrator's cordon survives, whenever it was made.

use crds::gpu_node::{OperationResult, Phase};
use e2e::Workload;
use k8s_openapi::api::core::v1::Node;
use kube::ResourceExt;
use serde_json::json;

use crate::look::{OURS, THEIRS, standing};
use crate::scene::{GPU, SEVEN, Scene, a100, spec};

async fn set_cordon(scene: &Scene, node: &str, is: bool) {
    let patch = json!({"spec": {"unschedulable": is}});
    scene.cluster.node(node).merge(patch).await.unwrap();
}

#[tokio::test]
async fn a_node_that_was_cordoned_before_is_changed_and_stays_cordoned() {
    let scene = Scene::start([a100("n1"), a100("skipped")]).await;
    set_cordon(&scene, "n1", true).await;
    set_cordon(&scene, "skipped", true).await;
    let nodes = scene.watch_nodes().await;
    let policy = scene.policy("p", &spec("n1", SEVEN, "")).await;
    let skip = spec("skipped", SEVEN, "maintenance: {onForeignCordon: Skip}");
    scene.policy("skip", &skip).await;

    scene.in_sync("n1", &policy).await;
    assert_eq!(scene.standing("n1").await, THEIRS);
    scene.events_until("n1", "ForeignCordonPreserved").await;
    let is_open = |node: &Node| node.name_any() == "n1" && !standing(node).0;
    assert!(
        !nodes.steps(is_open).await.unwrap().contains(&true),
        "it was never open to pods in between"
    );

    scene.wait_reason("skipped", "ForeignCordon").await;
    assert!(scene.slices("skipped").is_empty());
}

#[tokio::test]
async fn a_cordon_that_is_made_during_an_operation_stays() {
    let scene = Scene::start([a100("n1")]).await;
    let pod = scene.run_one(&Workload::new("model").asks(GPU, 1)).await;
    scene.protect("model").await;
    scene.policy("p", &spec("n1", SEVEN, "")).await;
    scene.wait_phase("n1", Phase::Draining).await;

    // `kubectl cordon` does nothing on a cordoned node: to make it theirs, people uncordon it first.
    set_cordon(&scene, "n1", false).await;
    set_cordon(&scene, "n1", true).await;
    let over = scene.wait_over("n1").await;
    assert_eq!(
        (over.result, over.reason.as_str()),
        (OperationResult::Failed, "ExternalUncordon")
    );
    scene.wait_reason("n1", "BackingOff").await;
    assert_eq!(scene.standing("n1").await, THEIRS);
    scene.events_until("n1", "ForeignCordonPreserved").await;
    assert!(scene.slices("n1").is_empty());
    assert_eq!(scene.running("model", 1).await[0].uid(), pod.uid());
}

#[tokio::test]
async fn a_cordon_that_is_made_while_the_operator_is_away_stays() {
    let mut scene = Scene::start([a100("n1")]).await;
    let pod = scene.run_one(&Workload::new("model").asks(GPU, 1)).await;
    scene.protect("model").await;
    scene.policy("p", &spec("n1", SEVEN, "")).await;
    scene.wait_phase("n1", Phase::Draining).await;

    scene.cluster.operator.terminate().await.unwrap();
    set_cordon(&scene, "n1", false).await;
    set_cordon(&scene, "n1", true).await;
    // All that the next operator sees is a cordoned node with our mark: whose cordon it is, only its owner tells.
    assert_eq!(scene.standing("n1").await, OURS);
    scene.unprotect("model").await;
    let mark = scene.mark().await;
    scene.start_operator().await;
    let over = scene.wait_over("n1").await;
    assert_eq!(
        (over.result, over.reason.as_str()),
        (OperationResult::Failed, "ExternalUncordon")
    );
    scene.wait_standing("n1", THEIRS).await;
    scene.events_until("n1", "ForeignCordonPreserved").await;
    assert!(scene.evicted(mark).await.is_empty());
    assert!(scene.slices("n1").is_empty());
    assert_eq!(scene.running("model", 1).await[0].uid(), pod.uid());
}

#[tokio::test]
async fn a_node_that_a_person_uncordons_before_anything_is_destroyed_is_left_alone() {
    let scene = Scene::start([a100("n1")]).await;
    scene.run_one(&Workload::new("model").asks(GPU, 1)).await;
    scene.protect("model").await;
    let mark = scene.mark().await;
    scene.policy("p", &spec("n1", SEVEN, "")).await;
    scene.wait_phase("n1", Phase::Draining).await;

    set_cordon(&scene, "n1", false).await;
    let over = scene.wait_over("n1").await;
    assert_eq!(
        (over.result, over.reason.as_str()),
        (OperationResult::Failed, "ExternalUncordon")
    );
    scene.wait_standing("n1", crate::look::FREE).await;
    scene.quiet().await;
    assert_eq!(
        scene.cordons(mark).await.len(),
        1,
        "it is not cordoned again against that person"
    );
    scene.events_until("n1", "ExternalUncordon").await;
}
