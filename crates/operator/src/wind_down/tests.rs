use crds::names;
use serde_json::{Value, json};

use super::*;
use crate::fake::FakeApi;

const NODES: &str = "GET /api/v1/nodes";
const NODE: &str = "PATCH /api/v1/nodes/n1";
const GPU_NODES: &str = "GET /apis/gpusharing.dev/v1alpha1/gpunodes";
const SCALE: &str =
    "PATCH /apis/apps/v1/namespaces/gpu-sharing-system/deployments/gpu-sharing-operator/scale";

fn wind_down(api: &FakeApi) -> WindDown {
    let (namespace, name) = ("gpu-sharing-system", "gpu-sharing-operator");
    WindDown::new(api.cluster(), namespace.to_owned(), name.to_owned())
}

/// An API server with one node, which an operation has marked or not, and its `GpuNode` in this phase.
fn api(is_marked: bool, phase: &str) -> FakeApi {
    let api = FakeApi::default();
    let mark = if is_marked {
        json!({names::ANNOTATION_OPERATION: "17", names::ANNOTATION_PRE_CORDONED: "false"})
    } else {
        json!({})
    };
    let node = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": "n1", "uid": "u", "resourceVersion": "7", "annotations": mark},
        "spec": {"unschedulable": true},
    });
    let gpu_node = json!({
        "apiVersion": "gpusharing.dev/v1alpha1", "kind": "GpuNode",
        "metadata": {"name": "n1", "uid": "g", "resourceVersion": "3"}, "spec": {},
        "status": {"maintenance": {"phase": phase, "operationId": 17, "waitingFor": "a person"}},
    });
    let list = |kind: &str, items: Value| json!({"apiVersion": "v1", "kind": kind, "metadata": {}, "items": items});
    api.on(NODES, 200, list("NodeList", json!([node])));
    api.on(GPU_NODES, 200, list("GpuNodeList", json!([gpu_node])));
    api.on(
        SCALE,
        200,
        json!({"metadata": {"name": "gpu-sharing-operator"}, "spec": {"replicas": 0}}),
    );
    api.on(NODE, 200, node);
    api
}

#[tokio::test]
async fn nothing_is_looked_at_before_the_operator_has_ended() {
    let api = api(true, "Quarantined");
    let waits = wind_down(&api).look(false).await.unwrap();
    assert_eq!(
        waits,
        ["pods of Deployment gpu-sharing-system/gpu-sharing-operator to end"]
    );
    let asked: Vec<_> = api.asked().into_iter().map(|it| it.what).collect();
    assert_eq!(asked, [SCALE]);
    assert_eq!(api.writes()[0].body, json!({"spec": {"replicas": 0}}));
}

#[tokio::test]
async fn a_node_that_is_under_way_is_waited_for_and_not_touched() {
    let api = api(true, "Draining");
    let waits = wind_down(&api).look(true).await.unwrap();
    assert_eq!(waits, ["node n1 (Draining), which waits for a person"]);
    assert_eq!(api.writes().len(), 1, "the Deployment alone");
}

#[tokio::test]
async fn a_node_that_nobody_gives_back_is_unmarked_stays_cordoned_and_is_looked_at_again() {
    let api = api(true, "Quarantined");
    let waits = wind_down(&api).look(true).await.unwrap();
    assert_eq!(waits.len(), 1);
    let writes = api.writes();
    let metadata = &writes[1].body["metadata"];
    assert_eq!(metadata["resourceVersion"], "7");
    assert_eq!(
        metadata["annotations"][names::ANNOTATION_OPERATION],
        Value::Null
    );
    assert_eq!(writes[1].body["spec"].get("unschedulable"), None);
    for (event, kind) in writes[2..].iter().zip(["Node", "GpuNode"]) {
        assert_eq!(event.body["reason"], "LeftCordoned");
        assert_eq!(event.body["regarding"]["kind"], kind);
    }
    assert_eq!(writes.len(), 4, "an event on both objects");
}

#[tokio::test]
async fn it_is_over_when_nothing_of_ours_is_left_and_a_deployment_that_is_gone_does_not_matter() {
    let api = api(false, "Unmanaged");
    assert!(wind_down(&api).look(true).await.unwrap().is_empty());
    let gone = FakeApi::default();
    let empty = json!({"apiVersion": "v1", "kind": "List", "metadata": {}, "items": []});
    gone.on(NODES, 200, empty.clone()).on(GPU_NODES, 200, empty);
    assert!(wind_down(&gone).look(true).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_list_that_cannot_be_read_is_not_taken_for_an_empty_one() {
    let api = FakeApi::default();
    api.on(
        NODES,
        503,
        json!({"kind": "Status", "code": 503, "status": "Failure"}),
    );
    assert!(wind_down(&api).look(true).await.is_err());
}
