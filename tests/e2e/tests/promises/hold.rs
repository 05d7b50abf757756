//! A person who holds a node: nothing is begun on it, and what is under way is not given back before they let go.

use crds::gpu_node::{MaintenanceStatus, Phase};
use crds::names::ANNOTATION_HOLD;
use e2e::Workload;
use serde_json::{Value, json};

use crate::look::{FREE, OURS, condition};
use crate::scene::{GPU, SEVEN, Scene, a100, spec};

async fn hold(scene: &Scene, node: &str, value: Value) {
    let patch = json!({"metadata": {"annotations": {ANNOTATION_HOLD: value}}});
    scene.cluster.node(node).merge(patch).await.unwrap();
}

#[tokio::test]
async fn a_held_node_is_not_begun_and_one_that_is_held_midway_stays_cordoned_until_they_let_go() {
    let scene = Scene::start(["before", "midway"].map(a100)).await;
    let model = Workload::new("model").asks(GPU, 1).on("midway");
    scene.run_one(&model).await;
    scene.protect("model").await;
    let mark = scene.mark().await;
    hold(&scene, "before", json!("night shift")).await;
    let before = scene.policy("before", &spec("before", SEVEN, "")).await;
    let midway = scene.policy("midway", &spec("midway", SEVEN, "")).await;

    scene.wait_phase("midway", Phase::Draining).await;
    hold(&scene, "midway", json!("night shift")).await;
    scene.unprotect("model").await;
    let is_held = |status: &MaintenanceStatus| {
        let held = condition(&status.conditions, "HeldByUser");
        let sentence = status.waiting_for.as_ref();
        status.phase == Phase::Uncordoning
            && held.is_some_and(|it| it.status == "True")
            && sentence.is_some_and(|it| it.contains(ANNOTATION_HOLD))
    };
    scene
        .wait_node("midway", "is held, and says so", is_held)
        .await;
    assert_eq!(scene.slices("midway"), ["1g.5gb"; 7], "it was under way");
    let waits = scene.wait_reason("before", "HeldByUser").await;
    let sentence = waits.waiting_for.unwrap();
    assert!(sentence.contains(ANNOTATION_HOLD), "{sentence}");
    scene.quiet().await;
    assert_eq!(scene.standing("midway").await, OURS);
    let cordons = scene.cordons(mark).await;
    assert!(cordons.iter().all(|it| it.object.name == "midway"));
    assert!(scene.slices("before").is_empty());

    for (name, policy) in [("before", before), ("midway", midway)] {
        hold(&scene, name, json!(null)).await;
        scene.in_sync(name, &policy).await;
        assert_eq!(scene.standing(name).await, FREE, "{name}");
    }
}
