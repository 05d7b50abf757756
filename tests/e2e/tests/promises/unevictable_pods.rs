//! Pods that may not be evicted stop an operation before the node is cordoned.

use e2e::Workload;
use kube::ResourceExt;
use kube::api::DeleteParams;
use serde_json::json;

use crate::look::FREE;
use crate::scene::{GPU, SEVEN, Scene, a100, spec};

#[tokio::test]
async fn pods_without_a_controller_or_with_data_to_lose_block_before_any_cordon() {
    let nodes = ["bare", "data", "promised"];
    let scene = Scene::start(nodes.map(a100)).await;
    let workload = |name: &str| Workload::new(name).asks(GPU, 1).on(name);
    let bare = scene.run_bare(&workload("bare")).await.name_any();
    let data = scene
        .run_one(&workload("data").empty_dir())
        .await
        .name_any();
    let key = crds::names::ANNOTATION_DO_NOT_EVICT;
    let promised = workload("promised").annotation(key, "true");
    let promised = scene.run_one(&promised).await.name_any();

    let mark = scene.mark().await;
    let policy = scene.policy("bare", &spec("bare", SEVEN, "")).await;
    scene.policy("data", &spec("data", SEVEN, "")).await;
    scene.policy("promised", &spec("promised", SEVEN, "")).await;
    for (node, pod, reason) in [
        ("bare", &bare, "NoController"),
        ("data", &data, "EmptyDir"),
        ("promised", &promised, "DoNotEvict"),
    ] {
        let waits = scene.wait_reason(node, "PreflightBlocked").await;
        let sentence = waits.waiting_for.unwrap();
        assert!(
            sentence.contains(&format!("default/{pod} ({reason}: ")),
            "{sentence}"
        );
    }
    scene.quiet().await;
    assert!(scene.cordons(mark).await.is_empty());
    assert!(scene.evicted(mark).await.is_empty());

    // What stood in the way goes, and what may be lost is said to be so.
    scene
        .pods
        .delete("bare", &DeleteParams::default())
        .await
        .unwrap();
    let drain = json!({"maintenance": {"drain": {"deleteEmptyDirData": true}}});
    let may_lose = scene.change_policy("data", drain).await;
    scene.in_sync("bare", &policy).await;
    scene.in_sync("data", &may_lose).await;
    assert_eq!(scene.evicted(mark).await, [data]);
    scene.wait_reason("promised", "PreflightBlocked").await;
    assert_eq!(scene.standing("promised").await, FREE);
}
