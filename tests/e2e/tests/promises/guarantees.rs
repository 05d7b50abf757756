//! What GPUs guarantee is what the scheduler goes by: a pod that asks for a guarantee, by affinity to the node's labels, runs
//! where it holds or not at all.

use crds::gpu_node::Phase;
use crds::names::{
    LABEL_FAULT_ISOLATION, LABEL_MAX_SHARERS, LABEL_MEMORY_ISOLATION, LABEL_PLUGIN_CONFIG,
    LABEL_POLICY, LABEL_STRATEGY,
};
use e2e::{Look, NodeSpec, PATIENCE, Query, Record, Workload, eventually, wait_for};
use futures::future::join_all;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::events::v1::Event;
use kube::api::{DeleteParams, ListParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::json;

use crate::mps::control;
use crate::record::told;
use crate::scene::{GPU, SMALL, Scene, a100, spec, t4};

/// A node with its strategy, and pods that ask for what only that one gives.
struct Claim {
    node: &'static str,
    strategy: &'static str,
    resource: &'static str,
    /// So many of the resource are there.
    fits: i32,
    needs: (&'static str, &'static str),
}

/// One for each way to share. Every resource is advertised by nodes with other guarantees, too, most of them with room.
const CLAIMS: [Claim; 5] = [
    Claim {
        node: "exclusive",
        strategy: "{type: Exclusive}",
        resource: GPU,
        fits: 1,
        needs: (LABEL_MEMORY_ISOLATION, "hardware"),
    },
    Claim {
        node: "slicing",
        strategy: "{type: TimeSlicing, timeSlicing: {replicas: 4}}",
        resource: GPU,
        fits: 4,
        needs: (LABEL_STRATEGY, "time-slicing"),
    },
    Claim {
        node: "served",
        strategy: "{type: MPS, mps: {replicas: 3}}",
        resource: GPU,
        fits: 3,
        needs: (LABEL_MEMORY_ISOLATION, "client-limit"),
    },
    Claim {
        node: "cut",
        strategy: "{type: MIG, mig: {layout: {1g.5gb: 2}}}",
        resource: SMALL,
        fits: 2,
        needs: (LABEL_FAULT_ISOLATION, "hardware"),
    },
    Claim {
        node: "hybrid",
        strategy: "{type: MIG, mig: {layout: {1g.5gb: 2}, timeSlicing: {replicas: 2}}}",
        resource: SMALL,
        fits: 4,
        needs: (LABEL_MAX_SHARERS, "2"),
    },
];

impl Claim {
    fn machine(&self, control: &std::path::Path) -> NodeSpec {
        match self.node {
            "served" => t4(self.node).mps(control),
            "cut" | "hybrid" => a100(self.node),
            _ => t4(self.node),
        }
    }

    fn pods(&self, name: &str) -> Workload {
        let (label, value) = self.needs;
        let pods = Workload::new(name).asks(self.resource, 1);
        pods.needs(label, value)
    }
}

/// The name of the pod for which there is no room on a node.
fn one_more(node: &str) -> String {
    format!("{node}-one-more")
}

#[tokio::test]
async fn a_pod_that_asks_for_a_guarantee_runs_where_it_holds_and_as_long_as_it_is_promised() {
    let Some(control) = control() else { return };
    let scene = Scene::start(CLAIMS.iter().map(|claim| claim.machine(&control))).await;
    join_all(CLAIMS.iter().map(|claim| is_promised(&scene, claim))).await;
    for claim in &CLAIMS {
        let pods = scene.run(&claim.pods(claim.node), claim.fits).await;
        for pod in pods {
            let on = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
            assert_eq!(on, Some(claim.node), "{:?}", claim.needs);
        }
        let name = one_more(claim.node);
        waits(&scene, &name, &claim.pods(&name)).await;
    }
    for (name, needs) in [
        (
            "limited-and-apart",
            [(LABEL_STRATEGY, "mps"), (LABEL_FAULT_ISOLATION, "hardware")],
        ),
        (
            "in-turns-and-alone",
            [(LABEL_STRATEGY, "time-slicing"), (LABEL_MAX_SHARERS, "1")],
        ),
        (
            "nobodys",
            [(LABEL_POLICY, "nobody"), (LABEL_MEMORY_ISOLATION, "none")],
        ),
    ] {
        let asks = Workload::new(name).asks(GPU, 1);
        let pod = needs
            .iter()
            .fold(asks, |pod, (label, value)| pod.needs(label, value));
        waits(&scene, name, &pod).await;
    }
    promises_go_before_what_they_are_about(&scene).await;
}

async fn is_promised(scene: &Scene, claim: &Claim) {
    let name = claim.node;
    let policy = scene.policy(name, &spec(name, claim.strategy, "")).await;
    scene.in_sync(name, &policy).await;
    let node = scene.cluster.node(name).get().await.unwrap();
    assert_eq!(node.labels()[LABEL_POLICY], name);
}

/// A pod for which there is no node, by the scheduler's own word.
async fn waits(scene: &Scene, name: &str, pod: &Workload) {
    let made = scene.pods.create(&PostParams::default(), &pod.pod()).await;
    made.unwrap();
    let events: Api<Event> = Api::default_namespaced(scene.cluster.client.clone());
    let what = format!("the scheduler has no node for {name}");
    eventually(&what, PATIENCE, async || {
        let listed = events.list(&ListParams::default()).await.unwrap().items;
        let is_told = |event: &Event| {
            let about = event.regarding.as_ref();
            let name_of = about.and_then(|about| about.name.as_deref());
            name_of == Some(name) && event.reason.as_deref() == Some("FailedScheduling")
        };
        Ok(if listed.iter().any(is_told) {
            Look::Done(())
        } else {
            Look::NotYet(format!("{} events", listed.len()))
        })
    })
    .await
    .unwrap();
    assert_eq!(node_of(scene, name).await, None);
}

async fn node_of(scene: &Scene, pod: &str) -> Option<String> {
    let pod = scene.pods.get(pod).await.unwrap();
    pod.spec?.node_name
}

/// Three nodes change while a pod waits for the guarantee of each: one by the device plugin's configuration alone, one
/// through an operation, one because its policy goes. The API server's record says which write came first.
async fn promises_go_before_what_they_are_about(scene: &Scene) {
    let mark = scene.mark().await;
    let shared = json!({"strategy": {"type": "TimeSlicing", "timeSlicing": {"replicas": 4}}});
    let shared = scene.change_policy("exclusive", shared).await;
    let more = json!({"strategy": {"mig": {"layout": {"1g.5gb": 3}}}});
    let more = scene.change_policy("cut", more).await;
    let (policies, params) = (scene.cluster.policies(), DeleteParams::default());
    policies.delete("served", &params).await.unwrap();

    scene.in_sync("exclusive", &shared).await;
    let node = scene.cluster.node("exclusive");
    node.wait_allocatable(&[(GPU, 4)]).await.unwrap();
    scene.in_sync("cut", &more).await;
    scene.wait_phase("served", Phase::Unmanaged).await;
    scene.stop("served").await;

    let writes = scene.written(Query::writes().since(mark).accepted()).await;
    goes_first(&writes, "exclusive", |record| {
        record.object.resource == "nodes"
            && record.request["metadata"]["labels"][LABEL_PLUGIN_CONFIG].is_string()
    });
    goes_first(&writes, "cut", |record| {
        record.request["status"]["agent"]["operation"]["stage"] == "Destroying"
    });
    goes_first(&writes, "served", |record| {
        let (object, spec) = (&record.object, &record.request["spec"]);
        object.resource == "gpunodes" && spec.is_object() && spec["target"].is_null()
    });

    // There is room for all who wait by now. Two of them find what they ask for: on the node that promises it anew, and on the
    // one that has come to promise it.
    for (claim, node) in [("cut", "cut"), ("slicing", "exclusive")] {
        let is_bound = |pod: &Pod| {
            let spec = pod.spec.as_ref();
            spec.and_then(|spec| spec.node_name.as_deref()) == Some(node)
        };
        let (pod, what) = (one_more(claim), format!("is on node {node}"));
        let bound = wait_for(&scene.pods, &pod, &what, is_bound).await;
        bound.unwrap();
    }
    for claim in ["exclusive", "served", "hybrid"] {
        assert_eq!(node_of(scene, &one_more(claim)).await, None, "{claim}");
    }
}

/// The node's promise is withdrawn by the write that changes what it is about, or by an earlier one.
fn goes_first(writes: &[Record], node: &str, changes: impl Fn(&Record) -> bool) {
    let of_node: Vec<_> = writes
        .iter()
        .filter(|record| record.object.name == node)
        .cloned()
        .collect();
    let withdraws = |record: &Record| {
        let labels = &record.request["metadata"]["labels"];
        let promise = labels
            .as_object()
            .and_then(|it| it.get(LABEL_MEMORY_ISOLATION));
        record.object.resource == "nodes" && promise.is_some_and(serde_json::Value::is_null)
    };
    let first = of_node.iter().position(withdraws);
    let then = of_node.iter().position(changes);
    let is_first = first.zip(then).is_some_and(|(first, then)| first <= then);
    assert!(
        is_first,
        "{node}: withdrawn by {first:?}, changed by {then:?} in:\n{}",
        told(&of_node)
    );
}
