//! How a change goes through a fleet: no further after failures.

use crds::gpu_node::OperationResult;
use nvml_sim::state::{Fault, When};

use crate::look::condition;
use crate::scene::{SEVEN, Scene, a100};

/// A policy for all nodes, with these rules of maintenance.
fn everywhere(maintenance: &str) -> String {
    format!("{{strategy: {SEVEN}, maintenance: {{maxUnavailable: 4, {maintenance}}}}}")
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
