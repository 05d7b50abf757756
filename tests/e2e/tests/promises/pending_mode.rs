//! A MIG mode that stays pending: a reset of that GPU brings it about, or the node is given back with what to do.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crds::GpuNode;
use crds::gpu_node::OperationResult;
use e2e::{Workload, wait_for};
use kube::ResourceExt;
use nvml_sim::state::Until;

use crate::look::{FREE, condition};
use crate::scene::{GPU, SEVEN, SMALL, Scene, a100};

/// Lets a script stand in for the node's nvidia-smi; what it was asked for is in the file that is returned.
fn nvidia_smi(scene: &Scene, script: &str) -> PathBuf {
    let node = scene.cluster.node("n1");
    let (command, asked) = (node.nvidia_smi(), node.folder().join("asked"));
    let script = format!(
        "#!/bin/sh\necho \"$@\" >> '{}'\n{script}\n",
        asked.display()
    );
    fs::write(&command, script).unwrap();
    fs::set_permissions(&command, fs::Permissions::from_mode(0o755)).unwrap();
    asked
}

/// The tool that resets simulated GPUs.
fn simulator() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().join("nvml-sim")
}

/// Reason of the agent's condition about MIG modes, and whether it holds.
fn modes_settled(node: &GpuNode) -> Option<(String, String)> {
    let agent = node.status.as_ref()?.agent.as_ref()?;
    let settled = condition(&agent.conditions, "ModesSettled")?;
    Some((settled.status.clone(), settled.reason.clone()))
}

#[tokio::test]
async fn a_mode_that_stays_pending_on_an_idle_gpu_is_brought_about_by_a_reset_of_that_gpu() {
    let scene = Scene::start([a100("n1")]).await;
    let reset = format!("exec '{}' ctl reset 0", simulator().display());
    let asked = nvidia_smi(&scene, &reset);
    let gpus = scene.cluster.node("n1").gpus();
    gpus.stick_mode(0, Until::Reset).unwrap();
    let policy = scene.policy("p", &format!("{{strategy: {SEVEN}}}")).await;
    let done = scene.in_sync("n1", &policy).await;
    assert_eq!(done.history[0].result, OperationResult::Succeeded);
    assert_eq!(scene.slices("n1"), ["1g.5gb"; 7]);
    let uuid = gpus.gpus().unwrap()[0].uuid.clone();
    let asked = fs::read_to_string(asked).unwrap();
    assert_eq!(asked, format!("--gpu-reset -i {uuid}\n"));
}

#[tokio::test]
async fn where_only_a_reboot_helps_the_node_is_given_back_and_nobody_is_evicted_for_it_twice() {
    let scene = Scene::start([a100("n1")]).await;
    nvidia_smi(&scene, "echo Resetting GPU $3 is not supported.\nexit 255");
    let gpus = scene.cluster.node("n1").gpus().clone();
    gpus.stick_mode(0, Until::Reboot).unwrap();
    scene.run_one(&Workload::new("model").asks(GPU, 1)).await;
    let policy = scene.policy("p", &format!("{{strategy: {SEVEN}}}")).await;

    let over = scene.wait_over("n1").await;
    assert_eq!(over.result, OperationResult::RolledBack, "{over:?}");
    let said = "RebootRequired: MIG mode of GPU 0";
    assert!(over.message.contains(said), "{}", over.message);
    let waits = scene.wait_reason("n1", "BackingOff").await;
    assert_eq!(waits.history.len(), 1);
    assert_eq!(scene.standing("n1").await, FREE);
    let reboot = Some(("False".to_owned(), "RebootRequired".to_owned()));
    let is_told = |node: &GpuNode| modes_settled(node) == reboot;
    let gpu_nodes = scene.cluster.gpu_nodes();
    wait_for(&gpu_nodes, "n1", "its agent asks for a reboot", is_told)
        .await
        .unwrap();

    let back = scene.running("model", 1).await.remove(0);
    scene.retry("n1", "again").await;
    let refused = scene
        .wait_node("n1", "has been tried twice", |node| node.history.len() == 2)
        .await;
    let refused = &refused.history[0];
    assert_eq!(refused.result, OperationResult::Failed, "{refused:?}");
    assert!(refused.message.contains(said), "{}", refused.message);
    let kept = scene.running("model", 1).await.remove(0);
    assert_eq!(kept.uid(), back.uid());

    // What the message asks for. Nobody may be left who asks for the GPU as a whole.
    scene.stop("model").await;
    gpus.set_mig_mode(0, true).unwrap_err();
    gpus.reboot().unwrap();
    scene.retry("n1", "after the reboot").await;
    scene.in_sync("n1", &policy).await;
    let node = scene.cluster.node("n1");
    node.wait_allocatable(&[(SMALL, 7)]).await.unwrap();
}
