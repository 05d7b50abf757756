//! Nodes are changed inside maintenance windows. Blackouts open and close them here: they are exact to the second.

use crds::gpu_node::{OperationResult, Phase};
use e2e::Workload;
use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;
use serde_json::{Value, json};

use crate::look::FREE;
use crate::scene::{GPU, SEVEN, SMALL, Scene, a100, spec};

fn seconds_from_now(seconds: i64) -> Timestamp {
    let moment = Timestamp::now() + SignedDuration::from_secs(seconds);
    Timestamp::from_second(moment.as_second()).unwrap()
}

fn blackout(from: Timestamp, to: Timestamp) -> Value {
    let blackout = json!({"from": from.to_string(), "to": to.to_string(), "reason": "freeze"});
    json!({"maintenance": {"blackouts": [blackout]}})
}

const MIDNIGHTS: &str = "windows: [{start: '00:00', end: '00:00'}], minRemaining: 1s";

#[tokio::test]
async fn nothing_begins_before_the_window_opens() {
    let scene = Scene::start([a100("n1")]).await;
    scene.run_one(&Workload::new("model").asks(GPU, 1)).await;
    let mark = scene.mark().await;
    let closed = "{from: '2020-01-01T00:00:00Z', to: '2100-01-01T00:00:00Z', reason: freeze}";
    let rest = format!("maintenance: {{{MIDNIGHTS}, blackouts: [{closed}]}}");
    scene.policy("p", &spec("n1", SEVEN, &rest)).await;

    let waits = scene.wait_reason("n1", "WindowClosed").await;
    let sentence = waits.waiting_for.unwrap();
    assert!(sentence.contains("freeze"), "{sentence}");
    assert_eq!(
        waits.plan.unwrap().victims.len(),
        1,
        "what will be done is known before"
    );
    scene.quiet().await;
    assert!(scene.cordons(mark).await.is_empty());
    assert!(scene.evicted(mark).await.is_empty());

    let opens = seconds_from_now(4);
    let policy = scene
        .change_policy("p", blackout(seconds_from_now(-3600), opens))
        .await;
    let next = scene.wait_policy("p", "tells when it opens", |status| {
        status
            .next_window
            .as_ref()
            .is_some_and(|window| window.start.0 == opens)
    });
    next.await;
    scene.in_sync("n1", &policy).await;
    let cordons = scene.cordons(mark).await;
    assert_eq!(cordons.len(), 1);
    assert!(
        cordons[0].received >= opens,
        "{} is before {opens}",
        cordons[0].received
    );
    let after = cordons[0].received.duration_since(opens);
    eprintln!(
        "the window opened; the first cordon came {} ms later",
        after.as_millis()
    );
    scene
        .cluster
        .node("n1")
        .wait_allocatable(&[(SMALL, 7)])
        .await
        .unwrap();
}

#[tokio::test]
async fn a_window_that_closes_undoes_what_has_not_destroyed_anything_unless_told_to_finish() {
    let scene = Scene::start([a100("abort"), a100("finish")]).await;
    let mut pods = Vec::new();
    for name in ["abort", "finish"] {
        pods.push(
            scene
                .run_one(&Workload::new(name).asks(GPU, 1).on(name))
                .await,
        );
        scene.protect(name).await;
    }
    let rest = |rule: &str| format!("maintenance: {{{MIDNIGHTS}, onWindowClose: {rule}}}");
    scene
        .policy("abort", &spec("abort", SEVEN, &rest("Abort")))
        .await;
    scene
        .policy("finish", &spec("finish", SEVEN, &rest("Finish")))
        .await;
    for name in ["abort", "finish"] {
        scene.wait_phase(name, Phase::Draining).await;
    }

    let (closes, opens) = (seconds_from_now(2), seconds_from_now(86_400));
    scene.change_policy("abort", blackout(closes, opens)).await;
    let finish = scene.change_policy("finish", blackout(closes, opens)).await;
    let over = scene.wait_over("abort").await;
    assert_eq!(
        (over.result, over.reason.as_str()),
        (OperationResult::Released, "WindowClosed")
    );
    assert!(
        over.finished_at.0 >= closes,
        "{} is before {closes}",
        over.finished_at.0
    );
    let waits = scene.wait_reason("abort", "WindowClosed").await;
    assert_eq!(
        (waits.attempts, waits.next_attempt),
        (0, None),
        "nobody is to blame"
    );
    assert_eq!(scene.standing("abort").await, FREE);
    assert!(scene.slices("abort").is_empty());
    let pod = scene.running("abort", 1).await.remove(0);
    assert_eq!(
        pod.uid(),
        pods[0].uid(),
        "its budget protected it all the time"
    );

    let goes_on = scene.wait_phase("finish", Phase::Draining).await;
    assert!(goes_on.outcome.is_none(), "{:?}", goes_on.outcome);
    scene.unprotect("finish").await;
    let done = scene.in_sync("finish", &finish).await;
    assert_eq!(done.history[0].result, OperationResult::Succeeded);
    assert_eq!(scene.slices("finish"), ["1g.5gb"; 7]);
    assert_eq!(scene.standing("finish").await, FREE);
}
