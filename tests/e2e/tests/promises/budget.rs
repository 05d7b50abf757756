//! No more nodes are out of service than the policy allows, and those that wait say why.

use std::collections::BTreeMap;

use crds::GpuSharingPolicy;
use e2e::{Change, History};
use k8s_openapi::api::core::v1::Node;
use kube::ResourceExt;
use serde_json::json;

use crate::look::{FREE, THEIRS, standing};
use crate::scene::{SEVEN, Scene, a100};

#[tokio::test]
async fn at_most_max_unavailable_nodes_are_out_and_a_node_cordoned_by_somebody_else_counts() {
    let scene = Scene::start([a100("n1"), a100("n2"), a100("n3")]).await;
    let cordon = |is: bool| json!({"spec": {"unschedulable": is}});
    scene.cluster.node("n3").merge(cordon(true)).await.unwrap();
    let nodes = scene.watch_nodes().await;
    let policies: History<GpuSharingPolicy> =
        History::of(scene.cluster.policies(), "").await.unwrap();

    let text = format!("{{strategy: {SEVEN}, maintenance: {{maxUnavailable: 1}}}}");
    let policy = scene.policy("p", &text).await;
    scene.in_sync("n3", &policy).await;
    for name in ["n1", "n2"] {
        let waits = scene.wait_reason(name, "AwaitingSlot").await;
        let sentence = waits.waiting_for.unwrap();
        assert!(
            sentence.contains("limits how many nodes are out of service at once"),
            "{sentence}"
        );
    }
    let explained = scene.wait_policy("p", "explains who waits", |status| {
        let waiting = status.waiting.iter().find(|it| it.reason == "AwaitingSlot");
        waiting.is_some_and(|it| it.nodes == ["n1", "n2"] && it.count == 2)
    });
    assert!(explained.await.status.unwrap().slots.is_empty());
    assert_eq!(scene.standing("n3").await, THEIRS);
    assert!(scene.slices("n1").is_empty() && scene.slices("n2").is_empty());

    scene.cluster.node("n3").merge(cordon(false)).await.unwrap();
    for name in ["n1", "n2"] {
        scene.in_sync(name, &policy).await;
        assert_eq!(scene.standing(name).await, FREE);
    }
    assert_eq!(most_cordoned(&nodes).await, 1);
    let slots = policies.steps(|it| it.status.as_ref().map_or(0, |status| status.slots.len()));
    let slots = slots.await.unwrap();
    assert_eq!(slots.iter().max(), Some(&1), "{slots:?}");
}

/// The most nodes that were unschedulable at one moment.
async fn most_cordoned(nodes: &History<Node>) -> usize {
    let mut cordoned = BTreeMap::new();
    let mut most = 0;
    for change in nodes.up_to_now().await.unwrap() {
        if let Change::Is(node) = change {
            cordoned.insert(node.name_any(), standing(&node).0);
            most = most.max(cordoned.values().filter(|is| **is).count());
        }
    }
    most
}
