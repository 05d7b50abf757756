//! When going back fails too, the node keeps its cordon until the GPUs are in order or a person decides.

use crds::gpu_node::{OperationResult, Phase};
use nvml_sim::state::{Fault, When};

use crate::look::{FREE, OURS, condition};
use crate::scene::{Scene, a100};

#[tokio::test]
async fn a_rollback_that_fails_quarantines_the_node_and_keeps_its_cordon() {
    let mut scene = Scene::install([a100("n1")]).await;
    scene.cut_by_hand("n1");
    let broken = |function: &str| Fault {
        function: function.to_owned(),
        code: 999,
        when: When::Every,
    };
    let gpus = scene.cluster.node("n1").gpus().clone();
    gpus.inject(broken("nvmlDeviceCreateGpuInstanceWithPlacement"))
        .unwrap();
    scene.start_programs().await;
    let halves = "{strategy: {type: MIG, mig: {layout: {3g.20gb: 2}, adopt: true}}}";
    let policy = scene.policy("p", halves).await;

    let kept = scene.wait_phase("n1", Phase::Quarantined).await;
    let quarantined = condition(&kept.conditions, "Quarantined").unwrap();
    assert_eq!(
        (quarantined.status.as_str(), quarantined.reason.as_str()),
        ("True", "RollbackFailed")
    );
    assert!(
        quarantined.message.contains("nvmlDeviceCreateGpuInstance"),
        "{}",
        quarantined.message
    );
    let sentence = kept.waiting_for.unwrap();
    assert!(sentence.contains("the node stays cordoned"), "{sentence}");
    assert!(
        sentence.contains(crds::names::ANNOTATION_RETRY),
        "{sentence}"
    );
    scene
        .wait_policy("p", "counts it", |status| {
            status.nodes.quarantined == 1 && status.slots.len() == 1
        })
        .await;
    scene.events_until("n1", "NodeQuarantined").await;

    scene.quiet().await;
    assert_eq!(scene.standing("n1").await, OURS);
    gpus.heal().unwrap();
    scene.retry("n1", "the GPU was reset").await;
    let done = scene.in_sync("n1", &policy).await;
    assert_eq!(scene.standing("n1").await, FREE);
    assert_eq!(scene.slices("n1"), ["3g.20gb"; 2]);
    assert_eq!(done.history[0].result, OperationResult::Succeeded);
    assert_eq!(done.history[1].result, OperationResult::Quarantined);
}
