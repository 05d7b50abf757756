//! A step that fails is rolled back, and the node is given back as it was.

use crds::gpu_node::OperationResult;
use e2e::Workload;
use nvml_sim::state::{Fault, When};
use serde_json::json;

use crate::look::FREE;
use crate::scene::{SMALL, Scene, a100};

#[tokio::test]
async fn a_failing_step_is_rolled_back_and_the_node_is_uncordoned() {
    let mut scene = Scene::install([a100("n1")]).await;
    scene.cut_by_hand("n1");
    scene.start_programs().await;
    let seven = "{strategy: {type: MIG, mig: {layout: {1g.5gb: 7}, adopt: true}}}";
    let policy = scene.policy("p", seven).await;
    scene.in_sync("n1", &policy).await;
    scene.run(&Workload::new("model").asks(SMALL, 1), 2).await;

    let function = "nvmlDeviceCreateGpuInstanceWithPlacement".to_owned();
    let fault = Fault {
        function,
        code: 999,
        when: When::Nth(2),
    };
    scene.cluster.node("n1").gpus().inject(fault).unwrap();
    let layout = json!({"1g.5gb": null, "3g.20gb": 2});
    let policy = scene
        .change_policy("p", json!({"strategy": {"mig": {"layout": layout}}}))
        .await;

    let over = scene.wait_over("n1").await;
    assert_eq!(over.result, OperationResult::RolledBack, "{over:?}");
    assert!(
        over.message.contains("nvmlDeviceCreateGpuInstance"),
        "names the step: {}",
        over.message
    );
    let waits = scene.wait_reason("n1", "BackingOff").await;
    assert_eq!(waits.attempts, 1);
    assert_eq!(scene.standing("n1").await, FREE);
    assert_eq!(scene.slices("n1"), ["1g.5gb"; 7]);
    scene
        .cluster
        .node("n1")
        .wait_allocatable(&[(SMALL, 7)])
        .await
        .unwrap();
    scene.running("model", 2).await;
    let events = scene.events_until("n1", "NodeUncordoned").await;
    let place = |reason: &str| events.iter().position(|it| it == reason);
    let order = ["RepartitionFailed", "RollbackSucceeded", "NodeUncordoned"].map(place);
    assert!(order[0].is_some() && order.is_sorted(), "{events:?}");

    // The fault was for one call only.
    scene.retry("n1", "again").await;
    scene.in_sync("n1", &policy).await;
    assert_eq!(scene.slices("n1"), ["3g.20gb"; 2]);
}
