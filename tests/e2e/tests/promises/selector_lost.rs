//! A node that its policy no longer selects in the middle of its operation: given back as it was, or finished.

use crds::gpu_node::{OperationResult, Phase};
use e2e::{Look, Workload, eventually};
use kube::ResourceExt;
use serde_json::json;

use crate::look::FREE;
use crate::scene::{GPU, LONG, SEVEN, Scene, a100, spec};

#[tokio::test]
async fn a_node_that_loses_its_label_is_given_back_before_anything_is_destroyed_and_finished_after()
{
    let scene = Scene::start(["draining", "cutting"].map(a100)).await;
    let model = Workload::new("model").asks(GPU, 1).on("draining");
    let pod = scene.run_one(&model).await;
    scene.protect("model").await;
    let gpus = scene.cluster.node("cutting").gpus();
    gpus.delay("nvmlDeviceCreateGpuInstanceWithPlacement", 1000)
        .unwrap();
    for name in ["draining", "cutting"] {
        scene.policy(name, &spec(name, SEVEN, "")).await;
    }
    scene.wait_phase("draining", Phase::Draining).await;
    eventually("the first slice is there", LONG, async || {
        Ok(match scene.slices("cutting").len() {
            0 => Look::NotYet("none".to_owned()),
            _ => Look::Done(()),
        })
    })
    .await
    .unwrap();

    for name in ["draining", "cutting"] {
        let unlabelled = scene.cluster.node(name).label(json!({"pool": null}));
        unlabelled.await.unwrap();
    }
    let released = scene.wait_phase("draining", Phase::Unmanaged).await.history;
    assert_eq!(
        (released[0].result, released[0].reason.as_str()),
        (OperationResult::Released, "TargetChanged")
    );
    assert!(scene.slices("draining").is_empty());
    assert_eq!(scene.running("model", 1).await[0].uid(), pod.uid());
    let finished = scene.wait_phase("cutting", Phase::Unmanaged).await.history;
    assert_eq!(finished[0].result, OperationResult::Succeeded);
    assert_eq!(scene.slices("cutting"), ["1g.5gb"; 7]);
    for name in ["draining", "cutting"] {
        assert_eq!(scene.standing(name).await, FREE, "{name}");
        scene
            .wait_policy(name, "has its slot back", |status| status.slots.is_empty())
            .await;
    }
}
