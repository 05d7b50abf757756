//! A disruption budget is respected until the drain's deadline; then the node is given back.

use crds::gpu_node::{OperationResult, Phase};
use e2e::{Mark, Query, Record, Workload};
use kube::ResourceExt;

use crate::look::{FREE, OURS, condition};
use crate::record::told;
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
    assert_eq!(block.reason, "HopelessDisruptionBudget");
    for word in [
        "The disruption budget model needs 1 healthy pods",
        "This cannot succeed as things are: budget default/model",
        "Run more replicas",
    ] {
        assert!(block.message.contains(word), "{word} in {}", block.message);
    }
    scene.events_until("n1", "DrainBlocked").await;
    said_at_once(&scene, mark).await;
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
    // Of all tries, the one that was taken is told to the pod's owner.
    assert_eq!(scene.events("Pod", &pod.name_any()).await, ["Evicted"]);
}

/// By the audit log: after the first refusal a status says why, before the pod is tried again.
async fn said_at_once(scene: &Scene, since: Mark) {
    let writes = scene.operator_writes(since).await;
    let is_refusal = |it: &Record| it.object.subresource == "eviction" && it.code == 429;
    let first = writes.iter().position(is_refusal).unwrap();
    let said = writes.iter().position(says_blocked).unwrap();
    let tries = writes.iter().take(said).filter(|it| is_refusal(it));
    assert!(first < said && tries.count() == 1, "{}", told(&writes));
    let took = writes[said].answered.duration_since(writes[first].received);
    let took = took.as_millis();
    eprintln!("refused; DrainBlocked says why {took} ms later");
}

/// Whether it is a status with `DrainBlocked` true.
fn says_blocked(record: &Record) -> bool {
    let conditions = &record.request["status"]["maintenance"]["conditions"];
    let mut conditions = conditions.as_array().into_iter().flatten();
    conditions.any(|it| it["type"] == "DrainBlocked" && it["status"] == "True")
}
