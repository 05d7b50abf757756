//! A node's agent may be killed at any moment. Each node is held in another phase, and all agents die there (SIGKILL).

use crds::GpuNode;
use crds::gpu_node::{AgentStage, OperationResult, Phase};
use e2e::{Workload, wait_within};
use kube::ResourceExt;
use kube::api::DeleteParams;
use nvml_sim::state::{Fault, When};

use crate::barrier::Barrier;
use crate::look::{FREE, OURS, phase};
use crate::scene::{GPU, LONG, SEVEN, SMALL, Scene, a100, spec};

const CREATE: &str = "nvmlDeviceCreateGpuInstanceWithPlacement";
const DESTROY: &str = "nvmlGpuInstanceDestroy";
const HALVES: &str = "{type: MIG, mig: {layout: {3g.20gb: 2}, adopt: true}}";
/// Milliseconds that each slow call takes.
const SLOW: u64 = 3000;
/// Shorter, because a rollback has seven of them.
const SLOW_ROLLBACK: u64 = 1500;

fn kill(scene: &mut Scene, node: &str) {
    scene.cluster.agent(node).unwrap().kill();
}

async fn wait_stage(scene: &Scene, node: &str, stage: AgentStage) {
    let what = format!("its agent says {stage:?}");
    let says = |node: &GpuNode| {
        let agent = node
            .status
            .as_ref()
            .and_then(|status| status.agent.as_ref());
        let operation = agent.and_then(|agent| agent.operation.as_ref());
        operation.is_some_and(|operation| operation.stage == stage)
    };
    let gpu_nodes = scene.cluster.gpu_nodes();
    wait_within(LONG, &gpu_nodes, node, &what, says)
        .await
        .unwrap();
}

#[tokio::test]
async fn killed_before_anything_is_destroyed() {
    let mut scene = Scene::start(["preparing", "draining", "lost"].map(a100)).await;
    for name in ["draining", "lost"] {
        scene
            .run_one(&Workload::new(name).asks(GPU, 1).on(name))
            .await;
        scene.protect(name).await;
    }
    scene.cluster.agent("preparing").unwrap().pause().unwrap();
    let preparing = scene
        .policy("preparing", &spec("preparing", SEVEN, ""))
        .await;
    let draining = scene.policy("draining", &spec("draining", SEVEN, "")).await;
    scene.policy("lost", &spec("lost", SEVEN, "")).await;
    scene.wait_phase("preparing", Phase::Preparing).await;
    for name in ["draining", "lost"] {
        scene.wait_phase(name, Phase::Draining).await;
    }
    for name in ["preparing", "draining", "lost"] {
        kill(&mut scene, name);
    }

    for name in ["preparing", "draining"] {
        scene.start_agent(name).await;
    }
    scene.unprotect("draining").await;
    for (name, policy) in [("preparing", preparing), ("draining", draining)] {
        let done = scene.in_sync(name, &policy).await;
        assert_eq!(
            done.history.len(),
            1,
            "one operation, taken up again: {:?}",
            done.history
        );
        assert_eq!(scene.standing(name).await, FREE);
        assert_eq!(scene.slices(name), ["1g.5gb"; 7]);
    }

    // This one does not come back: the node is given back after half a minute.
    let over = scene.wait_over("lost").await;
    assert_eq!(
        (over.result, over.reason.as_str()),
        (OperationResult::Failed, "AgentLost")
    );
    scene.wait_standing("lost", FREE).await;
    assert!(scene.slices("lost").is_empty());
    assert_eq!(scene.running("lost", 1).await.len(), 1);
}

/// The phases in which the operator works alone, or people are waited for: the agent's death must not be felt.
#[tokio::test]
async fn killed_while_others_are_at_work() {
    let barred = [
        ("cordoning", "cordon"),
        ("uncordoning", "uncordon"),
        ("releasing", "uncordon"),
    ];
    let barred = barred.map(|(name, barrier)| a100(name).label("barrier", barrier));
    let mut scene = Scene::install([a100("waiting")].into_iter().chain(barred)).await;
    scene.start_programs().await;
    let barrier = Barrier::raise(&scene).await;
    let held = Workload::new("releasing").asks(GPU, 1).on("releasing");
    scene.run_one(&held).await;
    scene.protect("releasing").await;
    let job = Workload::new("job").label("kind", "batch").on("waiting");
    scene.run_bare(&job).await;
    let phases = [
        ("uncordoning", Phase::Uncordoning, ""),
        (
            "releasing",
            Phase::Releasing,
            "maintenance: {drain: {timeout: 1s}}",
        ),
        ("cordoning", Phase::Cordoning, ""),
        (
            "waiting",
            Phase::WaitingJobs,
            "maintenance: {drain: {waitForCompletion: {podSelector: {matchLabels: {kind: batch}}, timeout: 1h}}}",
        ),
    ];
    let mut policies = Vec::new();
    for (name, _, rules) in phases {
        policies.push((name, scene.policy(name, &spec(name, SEVEN, rules)).await));
    }
    for (name, phase, _) in phases {
        scene.wait_phase(name, phase).await;
    }
    for (name, phase, _) in phases {
        kill(&mut scene, name);
        let found = scene.cluster.gpu_nodes().get(name).await.unwrap();
        assert_eq!(crate::look::phase(&found), phase, "{name}");
    }

    for (name, ..) in phases {
        scene.start_agent(name).await;
    }
    barrier.lower().await;
    scene
        .pods
        .delete("job", &DeleteParams::default())
        .await
        .unwrap();
    for (name, policy) in policies.iter().filter(|(name, _)| *name != "releasing") {
        let done = scene.in_sync(name, policy).await;
        let [only] = done.history.as_slice() else {
            panic!("one operation, and its end: {done:?}");
        };
        assert_eq!(only.result, OperationResult::Succeeded, "{name}");
        assert_eq!(scene.standing(name).await, FREE, "{name}");
        assert_eq!(scene.slices(name), ["1g.5gb"; 7]);
    }
    let over = scene.wait_over("releasing").await;
    assert_eq!(over.reason, "DrainTimedOut");
    assert_eq!(scene.standing("releasing").await, FREE);
    assert!(scene.slices("releasing").is_empty());
    assert_eq!(scene.running("releasing", 1).await.len(), 1);
}

#[tokio::test]
async fn killed_after_something_was_destroyed() {
    let barred = a100("validating").label("barrier", "advertise");
    let nodes = ["destroying", "creating", "rolling-back"].map(a100);
    let mut scene = Scene::install(nodes.into_iter().chain([barred])).await;
    for node in ["destroying", "creating", "rolling-back"] {
        scene.cut_by_hand(node);
    }
    scene.start_programs().await;
    let barrier = Barrier::raise(&scene).await;
    let gpus = |node: &str| scene.cluster.node(node).gpus().clone();
    gpus("destroying").delay(DESTROY, SLOW).unwrap();
    gpus("creating").delay(CREATE, SLOW).unwrap();
    let fault = Fault {
        function: CREATE.to_owned(),
        code: 999,
        when: When::Nth(2),
    };
    gpus("rolling-back").inject(fault).unwrap();
    gpus("rolling-back").delay(CREATE, SLOW_ROLLBACK).unwrap();

    let validating = scene
        .policy("validating", &spec("validating", SEVEN, ""))
        .await;
    let mut policies = vec![("validating", validating)];
    for name in ["destroying", "creating", "rolling-back"] {
        policies.push((name, scene.policy(name, &spec(name, HALVES, "")).await));
    }
    wait_stage(&scene, "destroying", AgentStage::Destroying).await;
    kill(&mut scene, "destroying");
    wait_stage(&scene, "creating", AgentStage::Creating).await;
    kill(&mut scene, "creating");
    scene.wait_phase("rolling-back", Phase::RollingBack).await;
    kill(&mut scene, "rolling-back");
    scene.wait_phase("validating", Phase::Validating).await;
    kill(&mut scene, "validating");
    for name in ["destroying", "creating", "rolling-back", "validating"] {
        assert_eq!(scene.standing(name).await, OURS, "{name}");
        scene.cluster.node(name).gpus().delay(DESTROY, 0).unwrap();
        scene.cluster.node(name).gpus().delay(CREATE, 0).unwrap();
    }
    let found = scene.cluster.gpu_nodes().get("rolling-back").await.unwrap();
    assert_eq!(phase(&found), Phase::RollingBack);

    barrier.lower().await;
    for name in ["destroying", "creating", "rolling-back", "validating"] {
        scene.start_agent(name).await;
    }
    for (name, policy) in policies.iter().filter(|(name, _)| *name != "rolling-back") {
        let done = scene.in_sync(name, policy).await;
        assert_eq!(
            done.history[0].result,
            OperationResult::Succeeded,
            "{name}: {done:?}"
        );
        assert_eq!(scene.standing(name).await, FREE, "{}", policy.name_any());
    }
    assert_eq!(scene.slices("destroying"), ["3g.20gb"; 2]);
    assert_eq!(scene.slices("creating"), ["3g.20gb"; 2]);
    let over = scene.wait_over("rolling-back").await;
    assert_eq!(over.result, OperationResult::RolledBack, "{over:?}");
    assert_eq!(scene.slices("rolling-back"), ["1g.5gb"; 7]);
    scene
        .cluster
        .node("rolling-back")
        .wait_allocatable(&[(SMALL, 7)])
        .await
        .unwrap();
    assert_eq!(scene.standing("rolling-back").await, FREE);
}
