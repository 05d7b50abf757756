//! How a change goes through a fleet: a canary first, one zone at a time, and no further after failures.

use crds::gpu_node::{OperationResult, Phase};
use e2e::Workload;
use nvml_sim::state::{Fault, When};

use crate::look::{FREE, condition};
use crate::scene::{GPU, SEVEN, Scene, a100};

/// A policy for all nodes, with these rules of maintenance.
fn everywhere(maintenance: &str) -> String {
    format!("{{strategy: {SEVEN}, maintenance: {{maxUnavailable: 4, {maintenance}}}}}")
}

#[tokio::test]
async fn the_others_follow_when_the_canary_has_been_in_sync_for_long_enough() {
    let scene = Scene::start([a100("n1"), a100("n2")]).await;
    let rules = everywhere("canary: {nodes: 1, soak: 5s}");
    let policy = scene.policy("p", &rules).await;
    let first = scene.in_sync("n1", &policy).await;
    let second = scene.in_sync("n2", &policy).await;
    let over = first.history[0].finished_at.0;
    let began = second.history[0].started_at.0;
    assert!(began.duration_since(over).as_secs() >= 5, "{over} {began}");
}

#[tokio::test]
async fn a_canary_that_lasts_keeps_the_others_waiting() {
    let scene = Scene::start([a100("n1"), a100("n2")]).await;
    let policy = scene
        .policy("p", &everywhere("canary: {nodes: 1, soak: 1h}"))
        .await;
    scene.in_sync("n1", &policy).await;
    scene.wait_reason("n2", "AwaitingSlot").await;
    scene.quiet().await;
    assert!(scene.slices("n2").is_empty());
    assert_eq!(scene.standing("n2").await, FREE);
}

#[tokio::test]
async fn one_zone_at_a_time() {
    let zone = |name: &str, zone: &str| a100(name).label("zone", zone);
    let scene = Scene::start([zone("a1", "a"), zone("a2", "a"), zone("b1", "b")]).await;
    // The pods keep the nodes of the first zone in their drain.
    for name in ["a1", "a2"] {
        scene
            .run_one(&Workload::new(name).asks(GPU, 1).on(name))
            .await;
        scene.protect(name).await;
    }
    let policy = scene.policy("p", &everywhere("topologyKey: zone")).await;
    for name in ["a1", "a2"] {
        scene.wait_phase(name, Phase::Draining).await;
    }
    scene.wait_reason("b1", "AwaitingSlot").await;
    scene.quiet().await;
    assert_eq!(scene.standing("b1").await, FREE);
    for name in ["a1", "a2"] {
        scene.unprotect(name).await;
    }
    for name in ["a1", "a2", "b1"] {
        scene.in_sync(name, &policy).await;
    }
}

#[tokio::test]
async fn failures_in_a_row_stop_the_roll_out_until_the_policy_changes() {
    let scene = Scene::start([a100("n1"), a100("n2")]).await;
    let fault = Fault {
        function: "nvmlDeviceCreateGpuInstanceWithPlacement".to_owned(),
        code: 999,
        when: When::Nth(1),
    };
    scene.cluster.node("n1").gpus().inject(fault).unwrap();
    // The other node is kept out until the first has failed.
    let cordon = |is: bool| serde_json::json!({"spec": {"unschedulable": is}});
    scene.cluster.node("n2").merge(cordon(true)).await.unwrap();
    let rules = everywhere("haltAfterFailures: 1, onForeignCordon: Skip");
    scene.policy("p", &rules).await;
    let over = scene.wait_over("n1").await;
    assert_eq!(over.result, OperationResult::RolledBack);
    let halted = scene.wait_policy("p", "says that it has stopped", |status| {
        let halted = condition(&status.conditions, "RolloutHalted");
        halted.is_some_and(|it| it.status == "True")
    });
    halted.await;
    scene.cluster.node("n2").merge(cordon(false)).await.unwrap();
    scene.wait_reason("n2", "AwaitingSlot").await;
    scene.quiet().await;
    assert!(scene.slices("n2").is_empty());

    let smaller = serde_json::json!({"strategy": {"mig": {"layout": {"1g.5gb": 3}}}});
    let policy = scene.change_policy("p", smaller).await;
    for name in ["n1", "n2"] {
        scene.in_sync(name, &policy).await;
        assert_eq!(scene.slices(name), ["1g.5gb"; 3]);
    }
}
