//! A dry run and a paused policy plan, say so, and touch nothing.

use e2e::Workload;
use kube::ResourceExt;
use serde_json::json;

use crate::record::told;
use crate::scene::{GPU, SEVEN, Scene, a100, spec, t4};

#[tokio::test]
async fn dry_run_and_paused_touch_nothing() {
    let scene = Scene::start([a100("dry"), a100("paused"), t4("shared")]).await;
    let mut pods = Vec::new();
    for name in ["dry", "paused"] {
        pods.push(
            scene
                .run_one(&Workload::new(name).asks(GPU, 1).on(name))
                .await,
        );
    }
    let mark = scene.quiet().await;
    scene
        .policy("dry", &spec("dry", SEVEN, "dryRun: true"))
        .await;
    scene
        .policy("paused", &spec("paused", SEVEN, "paused: true"))
        .await;
    let sharing = "{type: TimeSlicing, timeSlicing: {replicas: 4}}";
    scene
        .policy("shared", &spec("shared", sharing, "paused: true"))
        .await;

    for (node, reason) in [("dry", "DryRun"), ("paused", "Paused")] {
        let waits = scene.wait_reason(node, reason).await;
        let plan = waits.plan.unwrap();
        let victim = pods.iter().map(|pod| format!("default/{}", pod.name_any()));
        let victim: Vec<_> = victim.filter(|it| it.contains(node)).collect();
        assert_eq!(plan.victims, victim, "who would have to leave is known");
        assert_eq!(
            (plan.gpus[0].before.as_str(), plan.gpus[0].after.as_str()),
            ("whole", "7x1g.5gb")
        );
    }
    scene.wait_reason("shared", "Paused").await;
    scene.quiet().await;
    let mut writes = scene.operator_writes(mark).await;
    writes.retain(|write| write.object.subresource != "status");
    assert!(writes.is_empty(), "{}", told(&writes));
    assert!(scene.slices("dry").is_empty() && scene.slices("paused").is_empty());

    let resumed = scene
        .change_policy("shared", json!({"paused": false}))
        .await;
    scene.in_sync("shared", &resumed).await;
    scene
        .cluster
        .node("shared")
        .wait_allocatable(&[(GPU, 4)])
        .await
        .unwrap();
}
