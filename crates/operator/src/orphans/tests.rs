use k8s_openapi::api::core::v1::Node;
use serde_json::{Value, json};

use super::*;
use crate::caches::{self, Fillers};
use crate::fake::{FakeApi, plugin, read};

const NODE: &str = "/api/v1/nodes/n1";
const GPU_NODE: &str = "/apis/gpusharing.dev/v1alpha1/gpunodes/n1";

/// A node that operation 17 cordoned.
fn marked() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {
            "name": "n1", "uid": "u", "resourceVersion": "7",
            "annotations": {names::ANNOTATION_OPERATION: "17", names::ANNOTATION_PRE_CORDONED: "false"},
            "managedFields": [{
                "manager": names::CORDON_MANAGER, "operation": "Update", "apiVersion": "v1",
                "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:unschedulable": {}}},
            }],
        },
        "spec": {
            "unschedulable": true,
            "taints": [{"key": names::TAINT_MAINTENANCE, "effect": "NoSchedule"}],
        },
    })
}

fn gpu_node() -> Value {
    json!({
        "apiVersion": "gpusharing.dev/v1alpha1", "kind": "GpuNode",
        "metadata": {"name": "n1", "uid": "g", "resourceVersion": "3"},
        "spec": {},
    })
}

fn sweep(api: &FakeApi) -> (Orphans, Fillers) {
    let readiness = process::admin::Readiness::new();
    let (caches, mut fillers) = caches::new(&api.client(), &plugin(), &readiness);
    fillers.nodes.seed([read::<Node>(marked())]);
    (Orphans::new(api.cluster(), caches), fillers)
}

#[tokio::test]
async fn a_cordon_of_ours_that_nobody_works_under_is_released_and_told() {
    let api = FakeApi::default();
    api.on(&format!("GET {NODE}"), 200, marked());
    api.on(&format!("PATCH {NODE}"), 200, marked());
    let (mut orphans, _fillers) = sweep(&api);
    orphans.sweep().await;
    assert_eq!(
        api.writes(),
        [],
        "its agent may be about to make the GpuNode anew"
    );
    orphans.sweep().await;
    let writes = api.writes();
    assert_eq!(writes[0].body["metadata"]["resourceVersion"], "7");
    assert_eq!(writes[0].body["spec"]["unschedulable"], false);
    assert_eq!(writes[1].body["reason"], "OrphanCordonReleased");
}

#[tokio::test]
async fn a_node_with_a_gpu_node_is_left_to_its_own_steps() {
    // First the cache knows it; then only the API server does.
    for is_cached in [true, false] {
        let api = FakeApi::default();
        api.on(&format!("GET {NODE}"), 200, marked());
        api.on(&format!("GET {GPU_NODE}"), 200, gpu_node());
        let (mut orphans, mut fillers) = sweep(&api);
        if is_cached {
            fillers.gpu_nodes.seed([read(gpu_node())]);
        }
        orphans.sweep().await;
        orphans.sweep().await;
        assert_eq!(api.writes(), []);
        assert_eq!(api.asked().is_empty(), is_cached);
    }
}

#[tokio::test]
async fn a_node_that_was_taken_from_mig_manager_is_given_back_to_it() {
    let mut taken = marked();
    taken["metadata"]["annotations"] = json!({names::ANNOTATION_MIG_MANAGER: "true"});
    taken["metadata"]["labels"] = json!({names::LABEL_MIG_MANAGER: "false"});
    let api = FakeApi::default();
    api.on(&format!("GET {NODE}"), 200, taken.clone());
    api.on(&format!("PATCH {NODE}"), 200, taken.clone());
    let (mut orphans, mut fillers) = sweep(&api);
    fillers.nodes.seed([read::<Node>(taken)]);
    orphans.sweep().await;
    orphans.sweep().await;
    let writes = api.writes();
    let metadata = &writes[0].body["metadata"];
    assert_eq!(metadata["resourceVersion"], "7");
    assert_eq!(
        metadata["labels"],
        json!({names::LABEL_MIG_MANAGER: "true"})
    );
    assert_eq!(
        metadata["annotations"],
        json!({names::ANNOTATION_MIG_MANAGER: null})
    );
    assert_eq!(writes[1].body["reason"], "NodeGivenBack");
}

#[tokio::test]
async fn gpu_clients_that_were_left_paused_run_again() {
    let mut paused = marked();
    let key = "nvidia.com/gpu.deploy.dcgm";
    paused["metadata"]["annotations"] = json!({});
    paused["metadata"]["labels"] = json!({key: names::GPU_CLIENT_PAUSED, "pool": "a"});
    let api = FakeApi::default();
    api.on(&format!("GET {NODE}"), 200, paused.clone());
    api.on(&format!("PATCH {NODE}"), 200, paused.clone());
    let (mut orphans, mut fillers) = sweep(&api);
    fillers.nodes.seed([read::<Node>(paused)]);
    orphans.sweep().await;
    orphans.sweep().await;
    let writes = api.writes();
    let metadata = &writes[0].body["metadata"];
    assert_eq!(metadata["resourceVersion"], "7");
    assert_eq!(metadata["labels"], json!({key: "true"}));
    assert_eq!(writes[1].body["reason"], "GpuClientsResumed");
}
