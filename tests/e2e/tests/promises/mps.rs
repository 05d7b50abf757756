//! MPS is a strategy like others: with NVIDIA's own control daemon, run by the node's agent.

use std::path::PathBuf;

use crds::gpu_node::{GpuNode, MaintenanceStatus, MpsState, OperationResult, Phase};
use e2e::{Look, Mps, NodeSpec, PATIENCE, Workload, eventually, wait_for};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::events::v1::Event;
use kube::api::{DeleteParams, ListParams};
use kube::{Api, ResourceExt};
use nvml_sim::state::ComputeMode;
use serde_json::json;

use crate::look::condition;
use crate::scene::{GPU, LONG, Scene, T4, spec};

/// Four clients for each GPU.
const FOUR: &str = "{type: MPS, mps: {replicas: 4}}";

/// None: it cannot be had offline, and whoever runs the tests is told.
#[expect(clippy::print_stderr, reason = "nothing is skipped in silence")]
pub fn control() -> Option<PathBuf> {
    let control = Mps::control().unwrap();
    if control.is_none() {
        eprintln!("SKIPPED: NVIDIA's MPS control program cannot be had offline");
    }
    control
}

/// A node with two GPUs, where the agent may run the daemon if there is a control program.
pub fn two_gpus(control: Option<&PathBuf>) -> NodeSpec {
    let node = NodeSpec::new("n1").gpus(T4, 2).label("pool", "n1");
    match control {
        None => node,
        Some(control) => node.mps(control),
    }
}

fn modes(scene: &Scene) -> Vec<ComputeMode> {
    let gpus = scene.cluster.node("n1").gpus().gpus().unwrap();
    gpus.iter().map(|gpu| gpu.compute_mode).collect()
}

/// The daemon of the node `n1`.
pub fn mps(scene: &Scene) -> Mps {
    scene.cluster.node("n1").mps().unwrap().clone()
}

async fn serves(scene: &Scene) {
    let state = |node: &GpuNode| {
        let agent = node.status.as_ref()?.agent.as_ref()?;
        Some(agent.mps.as_ref()?.state)
    };
    let serves = |node: &GpuNode| state(node) == Some(MpsState::Running);
    let gpu_nodes = scene.cluster.gpu_nodes();
    let what = "its agent says that the MPS daemon serves";
    wait_for(&gpu_nodes, "n1", what, serves).await.unwrap();
}

/// What was told of a reason on the node, with all that the sentences say.
async fn told(scene: &Scene, reason: &str) -> String {
    let events: Api<Event> = Api::default_namespaced(scene.cluster.client.clone());
    eventually(&format!("{reason} is told"), PATIENCE, async || {
        let listed = events.list(&ListParams::default()).await.unwrap().items;
        let notes = listed
            .into_iter()
            .filter(|event| event.reason.as_deref() == Some(reason))
            .filter_map(|event| event.note);
        let notes: Vec<_> = notes.collect();
        Ok(if notes.is_empty() {
            Look::NotYet("nothing".to_owned())
        } else {
            Look::Done(notes.join("\n"))
        })
    })
    .await
    .unwrap()
}

/// Waits until the daemon says so; none: until nobody answers.
pub async fn answers(scene: &Scene, percentage: Option<&str>) {
    let mps = mps(scene);
    eventually("the daemon answers as it should", LONG, async || {
        let said = mps.ask_gpu("get_default_active_thread_percentage");
        Ok(if said.as_deref() == percentage {
            Look::Done(())
        } else {
            Look::NotYet(format!("{said:?}"))
        })
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn gpus_come_to_be_shared_through_mps_survive_a_death_and_are_given_back() {
    let Some(control) = control() else { return };
    let scene = Scene::start([two_gpus(Some(&control))]).await;
    let policy = scene
        .policy("p", &spec("n1", "{type: Exclusive}", ""))
        .await;
    scene.in_sync("n1", &policy).await;
    let model = scene.run(&Workload::new("model").asks(GPU, 1), 2).await;
    let web = scene.run_one(&Workload::new("web").on("n1")).await;
    let mark = scene.mark().await;

    let four = json!({"strategy": {"type": "MPS", "mps": {"replicas": 4}}});
    let policy = scene.change_policy("p", four).await;
    let done = scene.in_sync("n1", &policy).await;
    assert_eq!(done.history[0].result, OperationResult::Succeeded);
    let mut evicted = scene.evicted(mark).await;
    evicted.sort();
    let names: Vec<_> = model.iter().map(ResourceExt::name_any).collect();
    assert_eq!(evicted, names, "exactly those that had a GPU");
    assert_eq!(scene.pods_of("web").await[0].uid(), web.uid());

    let node = scene.cluster.node("n1");
    let shared = node.wait_allocatable(&[(GPU, 8)]).await.unwrap();
    let labels = shared.labels();
    for (label, value) in [
        ("strategy", "mps"),
        ("memory-isolation", "client-limit"),
        ("fault-isolation", "none"),
        ("max-sharers", "4"),
    ] {
        assert_eq!(labels[&format!("gpusharing.dev/{label}")], value);
    }
    assert_eq!(modes(&scene), [ComputeMode::ExclusiveProcess; 2]);
    answers(&scene, Some("25.0")).await;

    let clients = scene.running("model", 2).await;
    let mark = scene.mark().await;
    let daemons = mps(&scene).daemons();
    assert_eq!(daemons.len(), 1);
    mps(&scene).kill(&daemons);
    let told = told(&scene, "MpsDaemonDied").await;
    for pod in &clients {
        assert!(told.contains(&pod.name_any()), "{told}");
    }
    answers(&scene, Some("25.0")).await;
    serves(&scene).await;
    assert_ne!(mps(&scene).daemons(), daemons);
    assert!(scene.cordons(mark).await.is_empty());
    are_named_until_they_are_gone(&scene, &clients).await;

    let sliced =
        json!({"strategy": {"type": "TimeSlicing", "mps": null, "timeSlicing": {"replicas": 2}}});
    let policy = scene.change_policy("p", sliced).await;
    scene.in_sync("n1", &policy).await;
    assert_eq!(modes(&scene), [ComputeMode::Default; 2]);
    assert!(mps(&scene).daemons().is_empty());
    let sliced = node.wait_allocatable(&[(GPU, 4)]).await.unwrap();
    assert_eq!(sliced.labels()["gpusharing.dev/strategy"], "time-slicing");
}

/// Nobody mends the pods of a daemon that is gone: they are named for as long as they run.
async fn are_named_until_they_are_gone(scene: &Scene, clients: &[Pod]) {
    let says = |status: &MaintenanceStatus, verdict: &str, names: &[String]| {
        let named = condition(&status.conditions, "MpsClientsCutOff");
        named.is_some_and(|named| {
            named.status == verdict && names.iter().all(|name| named.message.contains(name))
        })
    };
    let names: Vec<_> = clients.iter().map(ResourceExt::name_any).collect();
    let is_said = |status: &MaintenanceStatus| says(status, "True", &names);
    scene
        .wait_node("n1", "names those who are cut off", is_said)
        .await;
    for name in &names {
        let params = DeleteParams::default();
        scene.pods.delete(name, &params).await.unwrap();
    }
    scene.running("model", 2).await;
    let is_over = |status: &MaintenanceStatus| says(status, "False", &[]);
    scene
        .wait_node("n1", "names nobody any more", is_over)
        .await;
}

/// The daemon is the agent's child and dies with it; the next agent starts another without an operation.
#[tokio::test]
async fn a_killed_agent_costs_clients_their_daemon_and_nobody_the_node() {
    let Some(control) = control() else { return };
    let mut scene = Scene::start([two_gpus(Some(&control))]).await;
    let policy = scene.policy("p", &spec("n1", FOUR, "")).await;
    let before = scene.in_sync("n1", &policy).await;
    let mark = scene.mark().await;
    let daemons = mps(&scene).daemons();
    scene.cluster.agent("n1").unwrap().kill();
    scene.start_agent("n1").await;
    serves(&scene).await;
    assert_ne!(mps(&scene).daemons(), daemons);
    answers(&scene, Some("25.0")).await;
    let after = scene.in_sync("n1", &policy).await;
    assert_eq!(after.operation_id, before.operation_id);
    assert!(scene.cordons(mark).await.is_empty());

    // Without a policy and without pods nobody needs it.
    let policies = scene.cluster.policies();
    policies
        .delete("p", &DeleteParams::default())
        .await
        .unwrap();
    scene.wait_phase("n1", Phase::Unmanaged).await;
    answers(&scene, None).await;
    eventually("the compute modes are given back", LONG, async || {
        let modes = modes(&scene);
        Ok(if modes == [ComputeMode::Default; 2] {
            Look::Done(())
        } else {
            Look::NotYet(format!("{modes:?}"))
        })
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_daemon_of_somebody_else_is_in_the_way_before_anything_is_touched() {
    let Some(control) = control() else { return };
    let scene = Scene::start([two_gpus(Some(&control))]).await;
    let mut foreign = mps(&scene).foreign().unwrap();
    answers(&scene, Some("100.0")).await;
    let mark = scene.mark().await;
    scene.policy("p", &spec("n1", FOUR, "")).await;
    let refused = scene.wait_over("n1").await;
    assert_eq!(refused.result, OperationResult::Failed);
    assert_eq!(refused.reason, "AgentRefused");
    assert!(
        refused.message.contains("TwoMpsOwners"),
        "{}",
        refused.message
    );
    assert!(scene.cordons(mark).await.is_empty());
    assert_eq!(modes(&scene), [ComputeMode::Default; 2]);
    foreign.kill().unwrap();
    foreign.wait().unwrap();
}

#[tokio::test]
async fn an_agent_that_may_not_run_the_daemon_says_how_to_let_it() {
    let scene = Scene::start([two_gpus(None)]).await;
    let mark = scene.mark().await;
    scene.policy("p", &spec("n1", FOUR, "")).await;
    let waits = scene.wait_reason("n1", "MpsNotEnabled").await;
    let sentence = waits.waiting_for.unwrap();
    assert!(sentence.contains("agent.mps.enabled=true"), "{sentence}");
    assert!(scene.cordons(mark).await.is_empty());
}
