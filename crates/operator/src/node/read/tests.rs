use serde_json::{Value, json};

use super::*;
use crate::caches::{self, Fillers};
use crate::fake::{FakeApi, plugin, read};

/// A GPU of four slices in two halves, with a pod on each.
fn gpu_node() -> Value {
    let device = |start: i32| format!("MIG-{start}");
    let half = |start: i32| json!({"profile": "2g.12gb", "start": start, "size": 2, "uuid": device(start), "owned": true});
    let holder = |pod: &str, start: i32| json!({"namespace": "ml", "pod": pod, "container": "main", "device": device(start)});
    let offer = |name: &str, slices: i32, starts: &[i32]| {
        let places: Vec<_> = starts
            .iter()
            .map(|start| json!({"start": start, "size": slices}))
            .collect();
        json!({"name": name, "id": slices, "slices": slices, "memoryMiB": 6000 * slices, "max": starts.len(), "placements": places})
    };
    json!({
        "apiVersion": "gpusharing.dev/v1alpha1", "kind": "GpuNode",
        "metadata": {"name": "n1", "uid": "g", "resourceVersion": "3"},
        "spec": {},
        "status": {"agent": {"bootId": "b", "gpus": [{
            "index": 0, "uuid": "GPU-0", "product": "NVIDIA A30", "memoryMiB": 24576,
            "mig": {"current": "Enabled", "pending": "Enabled"},
            "instances": [half(0), half(2)],
            "holders": [holder("low", 0), holder("high", 2)],
            "profiles": [offer("4g.24gb", 4, &[0]), offer("2g.12gb", 2, &[0, 2]), offer("1g.6gb", 1, &[0, 1, 2, 3])],
        }]}, "maintenance": {"phase": "Draining", "operationId": 17}},
    })
}

/// One half stays, the other is divided.
fn policy() -> Value {
    json!({
        "apiVersion": "gpusharing.dev/v1alpha1", "kind": "GpuSharingPolicy",
        "metadata": {"name": "p", "uid": "u", "generation": 1, "resourceVersion": "1"},
        "spec": {"strategy": {"type": "MIG", "mig": {"layout": {"2g.12gb": 1, "1g.6gb": 2}}}},
    })
}

fn pod(name: &str, annotations: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"namespace": "ml", "name": name, "uid": name, "annotations": annotations},
        "spec": {"nodeName": "n1", "containers": []},
        "status": {"phase": "Running", "startTime": "2026-01-01T00:00:00Z"},
    })
}

fn api(pods: &Value) -> (FakeApi, Caches, Fillers) {
    let api = FakeApi::default();
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1", "uid": "n", "resourceVersion": "7"}});
    api.on("GET /api/v1/nodes/n1", 200, node);
    api.on(
        "GET /apis/gpusharing.dev/v1alpha1/gpunodes/n1",
        200,
        gpu_node(),
    );
    api.on(
        "GET /apis/gpusharing.dev/v1alpha1/gpusharingpolicies/p",
        200,
        policy(),
    );
    api.on(
        "GET /api/v1/pods",
        200,
        json!({"metadata": {}, "items": pods}),
    );
    let readiness = process::admin::Readiness::new();
    let (caches, mut fillers) = caches::new(&api.client(), &plugin(), &readiness);
    fillers.policies.seed([read::<GpuSharingPolicy>(policy())]);
    (api, caches, fillers)
}

/// Where the half stands in the target that is planned while the pods have these annotations.
async fn half(pods: Value) -> i32 {
    let (api, caches, _fillers) = api(&pods);
    let now = "2026-01-01T00:10:00Z".parse().unwrap();
    let found = fresh(
        &api.cluster(),
        &caches,
        "n1",
        &[].into(),
        now,
        &Limits::default(),
    )
    .await
    .unwrap();
    let Fresh::Seen(seen) = found else {
        panic!("{found:?}")
    };
    let plan::resolve::Wish::Goal(goal) = &seen.wished.wish else {
        panic!("{:?}", seen.wished)
    };
    let instances = &goal.target.gpus[0].mig.instances;
    instances
        .iter()
        .find(|it| it.profile == "2g.12gb")
        .unwrap()
        .start
}

#[tokio::test]
async fn the_slice_of_a_pod_that_must_not_be_evicted_is_not_the_one_that_goes() {
    let key = crds::names::ANNOTATION_DO_NOT_EVICT;
    let (none, forever) = (json!({}), json!({key: "true"}));
    let both = |low: &Value, high: &Value| json!([pod("low", low), pod("high", high)]);
    assert_eq!(half(both(&forever, &none)).await, 0);
    assert_eq!(half(both(&none, &forever)).await, 2);
    // The first started ten minutes ago: its protection is over, the other's is not.
    let (over, lasts) = (json!({key: "5m"}), json!({key: "1h"}));
    assert_eq!(half(both(&over, &lasts)).await, 2);
    assert_eq!(half(both(&lasts, &over)).await, 0);
}
