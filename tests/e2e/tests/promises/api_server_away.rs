//! An API server that does not answer for a while costs time and nothing else.

use crds::gpu_node::{OperationResult, Phase};
use e2e::{Component, Look, eventually};

use crate::look::FREE;
use crate::scene::{LONG, Scene, a100};

#[tokio::test]
async fn the_gpus_are_finished_without_the_api_server_and_the_node_is_given_back_when_it_returns() {
    let mut scene = Scene::start([a100("n1")]).await;
    let gpus = scene.cluster.node("n1").gpus().clone();
    gpus.delay("nvmlDeviceCreateGpuInstanceWithPlacement", 2000)
        .unwrap();
    let halves = "{strategy: {type: MIG, mig: {layout: {3g.20gb: 2}}}}";
    let policy = scene.policy("p", halves).await;
    scene.wait_phase("n1", Phase::Repartitioning).await;
    eventually("the first half is there", LONG, async || {
        let slices = scene.slices("n1");
        Ok(if slices.is_empty() {
            Look::NotYet("none".to_owned())
        } else {
            Look::Done(())
        })
    })
    .await
    .unwrap();

    scene.cluster.bed.pause(Component::ApiServer).unwrap();
    eventually("the other half is there", LONG, async || {
        let slices = scene.slices("n1");
        Ok(if slices == ["3g.20gb"; 2] {
            Look::Done(())
        } else {
            Look::NotYet(format!("{slices:?}"))
        })
    })
    .await
    .unwrap();
    scene.cluster.bed.resume(Component::ApiServer).unwrap();
    if scene.cluster.operator.check().is_err() {
        // It lost its lease for too long and ended: its pod would be started again.
        scene.start_operator().await;
    }
    let done = scene.in_sync("n1", &policy).await;
    assert_eq!(
        done.history[0].result,
        OperationResult::Succeeded,
        "{:?}",
        done.history
    );
    assert_eq!(done.history.len(), 1);
    assert_eq!(scene.standing("n1").await, FREE);
    scene.cluster.agent("n1").unwrap().check().unwrap();
}
