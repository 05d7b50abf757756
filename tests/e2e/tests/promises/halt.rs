//! What has broken several nodes breaks no further one before a person has looked.

use crds::gpu_node::Phase;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use nvml_sim::state::{Fault, When};
use serde_json::json;

use crate::look::{FREE, OURS, condition};
use crate::scene::{Scene, a100};

#[tokio::test]
async fn too_many_nodes_in_quarantine_stop_the_roll_out_until_the_first_of_them_is_back() {
    let mut scene = Scene::install(["n1", "n2", "n3"].map(a100)).await;
    for name in ["n1", "n2"] {
        // Neither the new slices nor those from before can be made.
        scene.cut_by_hand(name);
        let fault = Fault {
            function: "nvmlDeviceCreateGpuInstanceWithPlacement".to_owned(),
            code: 999,
            when: When::Every,
        };
        scene.cluster.node(name).gpus().inject(fault).unwrap();
    }
    scene.start_programs().await;
    // The third is kept out until the others are broken.
    set_cordon(&scene, "n3", true).await;
    let policy = scene
        .policy(
            "p",
            "{strategy: {type: MIG, mig: {layout: {3g.20gb: 2}, adopt: true}}, \
             maintenance: {maxUnavailable: 3, onForeignCordon: Skip}}",
        )
        .await;
    for name in ["n1", "n2"] {
        scene.wait_phase(name, Phase::Quarantined).await;
    }
    let halted = wait_rollout(&scene, "True").await;
    assert_eq!(halted.reason, "TooManyQuarantined");
    for part in [
        "more than 20 % of the nodes are quarantined: 2 of 3",
        "put the GPUs right and set the annotation gpusharing.dev/retry on the nodes",
    ] {
        assert!(halted.message.contains(part), "{}", halted.message);
    }

    let mark = scene.mark().await;
    set_cordon(&scene, "n3", false).await;
    scene.wait_reason("n3", "AwaitingSlot").await;
    scene.quiet().await;
    let waits = scene.wait_reason("n3", "AwaitingSlot").await.waiting_for;
    let waits = waits.unwrap_or_default();
    let why = "its roll-out has stopped: more than 20 % of the nodes are quarantined";
    assert!(waits.contains(why), "{waits}");
    assert!(scene.cordons(mark).await.is_empty());
    assert_eq!(scene.standing("n3").await, FREE);
    assert!(scene.slices("n3").is_empty());

    // As the message says. One sick node holds up no fleet of three.
    scene.cluster.node("n1").gpus().heal().unwrap();
    scene.retry("n1", "the GPU was reset").await;
    for name in ["n1", "n3"] {
        scene.in_sync(name, &policy).await;
        assert_eq!(scene.standing(name).await, FREE, "{name}");
        assert_eq!(scene.slices(name), ["3g.20gb"; 2]);
    }
    assert_eq!(wait_rollout(&scene, "False").await.reason, "NotHalted");
    assert_eq!(scene.standing("n2").await, OURS);
}

async fn set_cordon(scene: &Scene, node: &str, is: bool) {
    let patch = json!({"spec": {"unschedulable": is}});
    scene.cluster.node(node).merge(patch).await.unwrap();
}

/// Waits until the policy says whether its roll-out has stopped.
async fn wait_rollout(scene: &Scene, is_halted: &str) -> Condition {
    let what = format!("RolloutHalted is {is_halted}");
    let policy = scene
        .wait_policy("p", &what, |status| {
            let halted = condition(&status.conditions, "RolloutHalted");
            halted.is_some_and(|it| it.status == is_halted)
        })
        .await;
    let conditions = policy.status.unwrap().conditions;
    condition(&conditions, "RolloutHalted").unwrap().clone()
}
