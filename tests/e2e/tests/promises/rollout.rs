//! How a change goes through a fleet: a canary first, one zone at a time, and no further after failures. Which node goes
//! first is nobody's promise: it is read from what happened.

use crds::gpu_node::{OperationResult, Phase};
use e2e::Workload;
use jiff::SignedDuration;
use nvml_sim::state::{Fault, When};

use crate::look::{FREE, condition};
use crate::scene::{GPU, SEVEN, Scene, a100};

/// A policy for all nodes, with these rules of maintenance.
fn everywhere(maintenance: &str) -> String {
    format!("{{strategy: {SEVEN}, maintenance: {{maxUnavailable: 4, {maintenance}}}}}")
}

#[tokio::test]
async fn the_others_follow_when_the_canary_has_been_in_sync_for_long_enough() {
    let scene = Scene::start(["n1", "n2", "n3"].map(a100)).await;
    let mark = scene.mark().await;
    let soak = SignedDuration::from_secs(5);
    let policy = scene
        .policy("p", &everywhere("canary: {nodes: 1, soak: 5s}"))
        .await;
    for name in ["n1", "n2", "n3"] {
        scene.in_sync(name, &policy).await;
    }

    let outages = scene.outages(mark).await;
    let [canary, others @ ..] = &outages[..] else {
        panic!("nobody was cordoned");
    };
    let proven = scene.in_sync(&canary.node, &policy).await.history[0]
        .finished_at
        .0;
    assert!(proven >= canary.to, "{proven} {canary:?}");
    assert_eq!(others.len(), 2, "{outages:?}");
    for other in others {
        let began = scene.in_sync(&other.node, &policy).await.history[0]
            .started_at
            .0;
        assert!(
            began >= proven + soak && other.from >= began,
            "{} was in sync at {proven}, and the next began at {began}: {outages:?}",
            canary.node
        );
    }
}

#[tokio::test]
async fn a_canary_that_is_not_proven_yet_keeps_the_others_waiting() {
    let scene = Scene::start(["n1", "n2"].map(a100)).await;
    let mark = scene.mark().await;
    scene
        .policy("p", &everywhere("canary: {nodes: 1, soak: 1h}"))
        .await;
    let canary = scene.wait_any(&["n1", "n2"], Phase::InSync).await;
    let other = if canary == "n1" { "n2" } else { "n1" };
    scene.wait_reason(other, "AwaitingSlot").await;
    scene.quiet().await;
    let cordons = scene.cordons(mark).await;
    assert!(cordons.iter().all(|it| it.object.name == canary));
    assert!(scene.slices(other).is_empty());
    assert_eq!(scene.standing(other).await, FREE);
}

#[tokio::test]
async fn nodes_of_one_zone_are_out_of_service_at_a_time() {
    let names = ["a1", "a2", "b1", "b2"];
    let scene = Scene::start(names.map(|name| a100(name).label("zone", &name[..1]))).await;
    // The pods keep the nodes of whichever zone is first in their drain.
    for name in names {
        scene
            .run_one(&Workload::new(name).asks(GPU, 1).on(name))
            .await;
        scene.protect(name).await;
    }
    let mark = scene.mark().await;
    let policy = scene.policy("p", &everywhere("topologyKey: zone")).await;
    let first = &scene.wait_any(&names, Phase::Draining).await[..1];
    let (of_it, others): (Vec<_>, Vec<_>) = names.iter().partition(|name| name.starts_with(first));
    for name in of_it {
        scene.wait_phase(name, Phase::Draining).await;
    }
    for name in others {
        scene.wait_reason(name, "AwaitingSlot").await;
        assert_eq!(scene.standing(name).await, FREE);
    }
    for name in names {
        scene.unprotect(name).await;
    }
    for name in names {
        scene.in_sync(name, &policy).await;
    }

    let outages = scene.outages(mark).await;
    assert_eq!(outages.len(), names.len(), "{outages:?}");
    for one in &outages {
        for other in &outages {
            let is_apart = one.to < other.from || other.to < one.from;
            let is_alike = one.node[..1] == other.node[..1];
            assert!(is_apart || is_alike, "{one:?} {other:?}");
        }
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
    let conditions = halted.await.status.unwrap().conditions;
    let halted = condition(&conditions, "RolloutHalted").unwrap();
    assert_eq!(halted.reason, "TooManyFailures");
    let ways_out = "change the policy or set the annotation gpusharing.dev/retry on the nodes";
    assert!(halted.message.contains(ways_out), "{}", halted.message);
    let mark = scene.mark().await;
    scene.cluster.node("n2").merge(cordon(false)).await.unwrap();
    scene.wait_reason("n2", "AwaitingSlot").await;
    scene.quiet().await;
    assert!(scene.cordons(mark).await.is_empty());
    assert!(scene.slices("n2").is_empty());

    let smaller = serde_json::json!({"strategy": {"mig": {"layout": {"1g.5gb": 3}}}});
    let policy = scene.change_policy("p", smaller).await;
    for name in ["n1", "n2"] {
        scene.in_sync(name, &policy).await;
        assert_eq!(scene.slices(name), ["1g.5gb"; 3]);
    }
}
