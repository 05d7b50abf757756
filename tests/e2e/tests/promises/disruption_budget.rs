//! A disruption budget is respected until the drain's deadline; then the node is given back.

use crds::gpu_node::{OperationResult, Phase};
use e2e::{Query, Workload};
use kube::ResourceExt;

use crate::look::{FREE, OURS, condition};
use crate::scene::{GPU, SEVEN, Scene, a100, spec};

#[tokio::test]
async fn a_drain_blocked_by_a_budget_says_so_and_releases_the_node_at_its_deadline() {
    let scene = Scene::start([a100("n1")]).await;
    let pod = scene.run_one(&Workload::new("model").asks(GPU, 1)).await;
    scene.protect("model").await;
    let mark = scene.mark().await;
    let rest = "maintenance: {drain: {timeout: 8s}}";
    let policy = scene.policy("p", &spec("n1", SEVEN, rest)).await;

    let is_blocked = |status: &crds::gpu_node::MaintenanceStatus| {
        condition(&status.conditions, "DrainBlocked").is_some_and(|it| it.status == "True")
    };
    let blocked = scene
        .wait_node("n1", "its drain is blocked", is_blocked)
        .await;
    assert_eq!(blocked.phase, Phase::Draining);
    assert_eq!(scene.standing("n1").await, OURS);
    let block = &blocked.drain.as_ref().unwrap().blocked[0];
    assert_eq!(block.pod, format!("default/{}", pod.name_any()));
    assert_eq!(block.reason, "DisruptionBudget");
    assert!(
        block.message.contains("model"),
        "names the budget: {}",
        block.message
    );
    assert!(
        blocked
            .waiting_for
            .unwrap()
            .contains("then the node is given back")
    );

    let over = scene.wait_over("n1").await;
    assert_eq!(
        (over.result, over.reason.as_str()),
        (OperationResult::Failed, "DrainTimedOut")
    );
    let waits = scene.wait_reason("n1", "BackingOff").await;
    assert!(
        waits.attempts == 1 && waits.next_attempt.is_some(),
        "{waits:?}"
    );
    assert_eq!(scene.standing("n1").await, FREE);
    assert!(scene.slices("n1").is_empty());
    assert_eq!(scene.running("model", 1).await[0].uid(), pod.uid());
    let tries = scene
        .written(Query::writes().since(mark).to("pods/eviction"))
        .await;
    assert!(
        !tries.is_empty() && tries.iter().all(|it| it.code == 429),
        "{tries:?}"
    );

    scene.unprotect("model").await;
    scene.retry("n1", "now").await;
    let done = scene.in_sync("n1", &policy).await;
    assert_eq!((done.attempts, done.history.len()), (0, 2));
    assert_eq!(scene.evicted(mark).await, [pod.name_any()]);
}
