//! A policy that is deleted leaves the GPUs as they are, and no node under way.

use crds::gpu_node::{OperationResult, Phase};
use e2e::Workload;
use kube::api::DeleteParams;

use crate::look::{FREE, OURS};
use crate::scene::{GPU, SEVEN, Scene, a100, spec};

#[tokio::test]
async fn a_deleted_policy_leaves_the_gpus_as_they_are_and_gives_back_a_node_that_nothing_was_changed_on()
 {
    let scene = Scene::start([a100("done"), a100("draining")]).await;
    let policy = scene.policy("done", &spec("done", SEVEN, "")).await;
    let model = Workload::new("model").asks(GPU, 1).on("draining");
    scene.run_one(&model).await;
    scene.protect("model").await;
    scene.policy("draining", &spec("draining", SEVEN, "")).await;
    scene.in_sync("done", &policy).await;
    scene.wait_phase("draining", Phase::Draining).await;
    assert_eq!(scene.standing("draining").await, OURS);

    for name in ["done", "draining"] {
        let params = DeleteParams::default();
        scene
            .cluster
            .policies()
            .delete(name, &params)
            .await
            .unwrap();
    }
    let left = scene.wait_phase("draining", Phase::Unmanaged).await;
    let released = (OperationResult::Released, "TargetChanged");
    assert_eq!(
        (left.history[0].result, left.history[0].reason.as_str()),
        released
    );
    scene.wait_phase("done", Phase::Unmanaged).await;
    for name in ["done", "draining"] {
        assert_eq!(scene.standing(name).await, FREE, "{name}");
        let asked = scene.cluster.gpu_nodes().get(name).await.unwrap().spec;
        assert_eq!(asked, crds::GpuNodeSpec::default(), "{name}");
    }
    assert_eq!(scene.slices("done"), ["1g.5gb"; 7]);
    assert!(scene.slices("draining").is_empty());
    scene.running("model", 1).await;
}
