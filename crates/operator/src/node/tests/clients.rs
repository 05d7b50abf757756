//! NVIDIA's GPU clients on the wire: paused by one patch before the agent goes ahead, and resumed by one patch whatever has
//! become of the operation, or of the operator that paused them.

use crds::gpu_node::{OperationSnapshot, OperationStage};
use crds::names::{GPU_CLIENT_PAUSED, LABEL_MIG_MANAGER};
use crds::policy::{DrainSettings, OnWindowClose};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::*;

const DCGM: &str = "nvidia.com/gpu.deploy.dcgm";
const PLUGIN: &str = "nvidia.com/gpu.deploy.device-plugin";
/// An administrator keeps it away.
const NVSM: &str = "nvidia.com/gpu.deploy.nvsm";
const POLICY: &str = "/apis/gpusharing.dev/v1alpha1/gpusharingpolicies/p";
const OPERATION: i64 = 17;

/// Cordoned for the operation, with these values of two deploy labels.
pub(super) fn node(clients: &str) -> Value {
    let fields = json!({"f:spec": {"f:unschedulable": {}}});
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {
            "name": "n1", "uid": "node-uid", "resourceVersion": "7",
            "labels": {DCGM: clients, PLUGIN: clients, NVSM: "false", LABEL_MIG_MANAGER: "false"},
            "annotations": {names::ANNOTATION_OPERATION: OPERATION.to_string()},
            "managedFields": [{
                "manager": names::CORDON_MANAGER, "operation": "Update", "apiVersion": "v1",
                "fieldsType": "FieldsV1", "fieldsV1": fields,
            }],
        },
        "spec": {
            "unschedulable": true,
            "taints": [{"key": names::TAINT_MAINTENANCE, "effect": "NoSchedule"}],
        },
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    })
}

/// The node's GPU is in MIG mode, and is to be whole.
pub(super) fn switching(phase: Phase) -> Value {
    let mut object = gpu_node(&maintenance(phase));
    let whole = json!({
        "uuid": "GPU-0", "index": 0, "mig": {"enabled": false, "instances": []},
        "sharing": {"type": "Exclusive", "replicas": 1},
    });
    object["spec"] = json!({
        "policy": {"name": "p", "uid": "u", "generation": 1},
        "target": {"gpus": [whole]},
        "operation": {"id": OPERATION, "class": "Gpus", "stage": "Prepare"},
    });
    object["status"]["agent"] = json!({
        "bootId": "b",
        "gpus": [{
            "index": 0, "uuid": "GPU-0", "product": "NVIDIA A30", "memoryMiB": 24576,
            "mig": {"current": "Enabled", "pending": "Enabled"},
        }],
        "operation": {"id": OPERATION, "stage": "Ready", "beat": "2026-11-23T00:00:00.000000Z"},
        "conditions": [condition("Ready")],
    });
    object
}

pub(super) fn maintenance(phase: Phase) -> MaintenanceStatus {
    let later: Timestamp = "9999-01-01T00:00:00Z".parse().unwrap();
    MaintenanceStatus {
        phase,
        operation_id: OPERATION,
        node_uid: Some("node-uid".to_owned()),
        deadline: Some(Time(later)),
        snapshot: Some(OperationSnapshot {
            policy: "p".to_owned(),
            policy_uid: "u".to_owned(),
            generation: 1,
            drain: DrainSettings::default(),
            on_window_close: OnWindowClose::Finish,
        }),
        ..MaintenanceStatus::default()
    }
}

fn condition(kind: &str) -> Value {
    json!({
        "type": kind, "status": "True", "reason": kind, "message": "", "observedGeneration": 1,
        "lastTransitionTime": "2026-11-23T00:00:00Z",
    })
}

fn policy() -> Value {
    let slot = json!({
        "node": "n1", "uid": "node-uid", "operation": OPERATION, "since": "2026-11-23T00:00:00Z",
    });
    json!({
        "apiVersion": "gpusharing.dev/v1alpha1", "kind": "GpuSharingPolicy",
        "metadata": {"name": "p", "uid": "u", "generation": 1, "resourceVersion": "1"},
        "spec": {"strategy": {"type": "Exclusive"}},
        "status": {"conditions": [condition("Valid")], "slots": [slot]},
    })
}

/// An API server with these objects that takes every patch, and an operator whose caches have them too.
pub(super) fn kit(node: &Value, gpu_node: &Value) -> Kit {
    kit_that_is_told(200, node, node, gpu_node)
}

/// The same, where a patch of the node is answered so.
fn kit_that_is_told(code: u16, answer: &Value, node: &Value, gpu_node: &Value) -> Kit {
    let mut kit = Kit::new();
    kit.fillers.nodes.seed([read(node.clone())]);
    kit.fillers.gpu_nodes.seed([read(gpu_node.clone())]);
    kit.fillers.policies.seed([read(policy())]);
    for (what, answer) in [(NODE, node), (GPU_NODE, gpu_node), (POLICY, &policy())] {
        kit.api.on(&format!("GET {what}"), 200, answer.clone());
    }
    kit.api.on(&format!("PATCH {NODE}"), code, answer.clone());
    for path in [GPU_NODE.to_owned(), format!("{GPU_NODE}/status")] {
        kit.api.on(&format!("PATCH {path}"), 200, gpu_node.clone());
    }
    kit.api.on(EVENTS, 201, json!({"metadata": {}}));
    kit
}

/// What one look sends to this path.
async fn sent(kit: &Kit, path: &str) -> Vec<Value> {
    let looked = kit.nodes.visit(&kit.cached()).await;
    assert!(looked.is_ok(), "{looked:?}");
    let what = format!("PATCH {path}");
    let writes = kit.api.writes().into_iter();
    let sent = writes.filter(|asked| asked.what == what);
    sent.map(|asked| asked.body).collect()
}

fn labelled(value: &str) -> Value {
    json!({"metadata": {"resourceVersion": "7", "labels": {DCGM: value, PLUGIN: value}}})
}

#[tokio::test]
async fn they_are_paused_by_one_patch_and_the_agent_goes_ahead_only_when_that_is_seen() {
    let running = kit(&node("true"), &switching(Phase::Repartitioning));
    assert_eq!(sent(&running, NODE).await, [labelled(GPU_CLIENT_PAUSED)]);
    let asks = format!("PATCH {GPU_NODE}");
    assert!(!running.writes().contains(&asks), "{:?}", running.writes());

    let paused = kit(&node(GPU_CLIENT_PAUSED), &switching(Phase::Repartitioning));
    let asked = sent(&paused, GPU_NODE).await;
    let stage = json!(OperationStage::Proceed);
    let stages: Vec<_> = asked
        .iter()
        .map(|it| &it["spec"]["operation"]["stage"])
        .collect();
    assert_eq!(stages, [&stage]);
    let patches = format!("PATCH {NODE}");
    assert!(!paused.writes().contains(&patches), "{:?}", paused.writes());
}

#[tokio::test]
async fn they_are_resumed_before_anything_else_on_every_way_out() {
    for phase in [
        Phase::Preparing,
        Phase::Cordoning,
        Phase::WaitingJobs,
        Phase::Draining,
        Phase::Validating,
        Phase::Uncordoning,
        Phase::Releasing,
        Phase::Quarantined,
    ] {
        let kit = kit(&node(GPU_CLIENT_PAUSED), &switching(phase));
        assert_eq!(sent(&kit, NODE).await, [labelled("true")], "{phase:?}");
        let first = kit.writes().into_iter().next();
        assert_eq!(first, Some(format!("PATCH {NODE}")), "{phase:?}");
    }
}

/// The operator that paused them has died, and nothing is left of what it knew.
#[tokio::test]
async fn those_that_a_dead_operator_has_left_paused_are_resumed_by_the_next_look_of_another() {
    for phase in [Phase::Unmanaged, Phase::InSync, Phase::Pending] {
        let mut object = switching(phase);
        object["spec"] = json!({});
        object["status"]["maintenance"] = json!({"phase": phase, "nodeUid": "node-uid"});
        let kit = kit(&node(GPU_CLIENT_PAUSED), &object);
        assert_eq!(sent(&kit, NODE).await, [labelled("true")], "{phase:?}");
    }
}

#[tokio::test]
async fn where_somebody_was_faster_nothing_is_told_and_the_agent_does_not_go_ahead() {
    let (node, gpu_node) = (node("true"), switching(Phase::Repartitioning));
    let kit = kit_that_is_told(409, &conflict(), &node, &gpu_node);
    assert_eq!(sent(&kit, NODE).await, [labelled(GPU_CLIENT_PAUSED)]);
    assert_eq!(kit.writes(), [format!("PATCH {NODE}")]);
}
