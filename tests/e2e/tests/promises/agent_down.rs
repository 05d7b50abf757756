//! No node is cordoned whose agent does not answer.

use crds::gpu_node::OperationResult;
use e2e::Workload;
use kube::ResourceExt;

use crate::look::FREE;
use crate::scene::{GPU, SEVEN, Scene, a100};

#[tokio::test]
async fn an_agent_that_is_down_costs_a_slot_for_half_a_minute_and_never_a_cordon() {
    let mut scene = Scene::start([a100("n1")]).await;
    let pod = scene.run_one(&Workload::new("model").asks(GPU, 1)).await;
    scene.cluster.agent("n1").unwrap().kill();
    let mark = scene.mark().await;
    let policy = scene.policy("p", &format!("{{strategy: {SEVEN}}}")).await;

    let over = scene.wait_over("n1").await;
    assert_eq!(
        (over.result, over.reason.as_str()),
        (OperationResult::Failed, "AgentLost")
    );
    assert!(
        over.message.contains("did not answer in time"),
        "{}",
        over.message
    );
    let waits = scene.wait_reason("n1", "BackingOff").await;
    assert!(
        waits
            .waiting_for
            .unwrap()
            .contains("did not answer in time")
    );
    scene
        .wait_policy("p", "has its slot back", |status| status.slots.is_empty())
        .await;
    assert!(scene.cordons(mark).await.is_empty());
    assert!(scene.evicted(mark).await.is_empty());
    assert_eq!(scene.standing("n1").await, FREE);
    assert_eq!(scene.running("model", 1).await[0].uid(), pod.uid());

    scene.start_agent("n1").await;
    scene.retry("n1", "its agent is back").await;
    scene.in_sync("n1", &policy).await;
}
