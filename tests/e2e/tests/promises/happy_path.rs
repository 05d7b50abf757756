//! A policy changes, and the node goes through the whole operation, in order, once.

use crds::gpu_node::{OperationResult, Phase};
use e2e::{Query, Record, Workload};
use kube::ResourceExt;

use crate::look::{FREE, OURS, phase, standing};
use crate::record::told;
use crate::scene::{GPU, SEVEN, SMALL, Scene, a100};

#[tokio::test]
async fn a_node_is_cordoned_drained_repartitioned_verified_and_uncordoned_in_this_order() {
    let scene = Scene::start([a100("n1")]).await;
    let pod = scene
        .run_one(&Workload::new("model").asks(GPU, 1).drains_in(1))
        .await;
    let (node, nodes) = (scene.watch("n1").await, scene.watch_nodes().await);
    let mark = scene.mark().await;

    let policy = scene.policy("p", &format!("{{strategy: {SEVEN}}}")).await;
    let done = scene.in_sync("n1", &policy).await;

    let mut phases = node.steps(phase).await.unwrap();
    phases.retain(|phase| *phase != Phase::Unmanaged);
    assert_eq!(
        phases,
        [
            Phase::Pending,
            Phase::Preparing,
            Phase::Cordoning,
            Phase::Draining,
            Phase::Repartitioning,
            Phase::Validating,
            Phase::Uncordoning,
            Phase::InSync,
        ]
    );
    let steps = nodes.steps(|node| (node.name_any() == "n1").then(|| standing(node)));
    let mut steps: Vec<_> = steps.await.unwrap().into_iter().flatten().collect();
    steps.dedup();
    assert_eq!(
        steps,
        [FREE, OURS, FREE],
        "cordon, mark and taint come and go together"
    );

    assert_eq!(scene.slices("n1"), ["1g.5gb"; 7]);
    let node = scene.cluster.node("n1");
    let advertised = node.wait_allocatable(&[(SMALL, 7)]).await.unwrap();
    assert_eq!(advertised.labels()["gpusharing.dev/strategy"], "mig");
    assert_eq!(
        advertised.labels()["gpusharing.dev/memory-isolation"],
        "hardware"
    );
    assert_eq!(advertised.labels()["gpusharing.dev/policy"], "p");

    let operation = &done.history[0];
    assert_eq!(
        operation.result,
        OperationResult::Succeeded,
        "{operation:?}"
    );
    assert_eq!((done.history.len(), done.attempts), (1, 0));
    assert_eq!(scene.evicted(mark).await, [pod.name_any()]);
    assert_eq!(
        scene.events_until("n1", "NodeUncordoned").await,
        [
            "NodeCordoned",
            "DrainStarted",
            "DrainCompleted",
            "RepartitionStarted",
            "RepartitionSucceeded",
            "NodeUncordoned",
        ]
    );
    writes_are_in_order(&scene.written(Query::writes().since(mark).accepted()).await);
}

/// By the API server's own record: the cordon before any eviction, every eviction before the agent destroys, and the
/// uncordon after the plugin was told to read the devices again.
fn writes_are_in_order(records: &[Record]) {
    let at = |what: &str, is: &dyn Fn(&Record) -> bool| {
        let place = records.iter().position(is);
        place.unwrap_or_else(|| panic!("no {what} in:\n{}", told(records)))
    };
    let spec = |record: &Record, to: bool| {
        record.object.resource == "nodes" && record.request["spec"]["unschedulable"] == to
    };
    let stage = |record: &Record| record.request["status"]["agent"]["operation"]["stage"].clone();
    let label = "nvidia.com/device-plugin.config";
    let order = [
        at("answer of the agent", &|record| stage(record) == "Ready"),
        at("cordon", &|record| spec(record, true)),
        at("eviction", &|record| {
            record.object.subresource == "eviction"
        }),
        at("point of no return", &|record| {
            stage(record) == "Destroying"
        }),
        at("end of the repartition", &|record| stage(record) == "Done"),
        at("label for the plugin", &|record| {
            record.object.resource == "nodes"
                && record.request["metadata"]["labels"][label].is_string()
        }),
        at("uncordon", &|record| spec(record, false)),
    ];
    assert!(order.is_sorted(), "{order:?} in:\n{}", told(records));
}
