//! A node that is deleted in the middle of its operation holds up nobody, and is a new one when it comes back.

use crds::gpu_node::Phase;
use e2e::{Workload, wait_gone};
use kube::ResourceExt;

use crate::look::FREE;
use crate::scene::{GPU, SEVEN, Scene, a100};

#[tokio::test]
async fn a_node_deleted_midway_gives_its_slot_back_and_begins_anew_when_it_returns() {
    let mut scene = Scene::install([a100("n1"), a100("n2")]).await;
    scene.start_operator().await;
    scene.start_agent("n1").await;
    let workload = Workload::new("model").asks(GPU, 1).on("n1");
    scene.run_one(&workload).await;
    scene.protect("model").await;
    let policy = scene.policy("p", &format!("{{strategy: {SEVEN}}}")).await;
    scene.wait_phase("n1", Phase::Draining).await;
    scene.start_agent("n2").await;
    let waits = scene.wait_reason("n2", "AwaitingSlot").await;
    assert!(waits.history.is_empty());
    let before = scene.cluster.gpu_nodes().get("n1").await.unwrap();

    scene.cluster.agent("n1").unwrap().kill();
    scene.unprotect("model").await;
    scene.cluster.node("n1").delete().await.unwrap();
    let gpu_nodes = scene.cluster.gpu_nodes();
    wait_gone(&gpu_nodes, "n1", before.uid().as_deref())
        .await
        .unwrap();
    scene.in_sync("n2", &policy).await;

    let node = scene.cluster.node("n1").create().await.unwrap();
    scene.start_agent("n1").await;
    let done = scene.in_sync("n1", &policy).await;
    assert_eq!(done.node_uid, node.uid());
    assert_eq!(
        done.history.len(),
        1,
        "the operation of the node before is forgotten: {:?}",
        done.history
    );
    assert_eq!(scene.slices("n1"), ["1g.5gb"; 7]);
    assert_eq!(scene.standing("n1").await, FREE);
}
