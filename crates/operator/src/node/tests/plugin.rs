//! A device plugin that does not take its configuration, on the wire.

use crds::gpu_node::{PluginConfigStatus, Target};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use plan::plugin_config;

use super::clients::{kit, maintenance, node, switching};
use super::*;

const POD: &str = "nvidia-device-plugin-x7";

/// The plugin's pod as NVIDIA's GPU operator makes it.
fn plugin_pod() -> Value {
    let manager = json!({
        "name": "config-manager",
        "env": [{"name": "NODE_LABEL", "value": names::LABEL_PLUGIN_CONFIG}],
    });
    let owner = json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet", "name": "plugin", "uid": "d", "controller": true,
    });
    json!({
        "metadata": {
            "namespace": "gpu-operator", "name": POD, "uid": "uid-of-the-plugin",
            "ownerReferences": [owner],
        },
        "spec": {"nodeName": "n1", "containers": [{"name": "nvidia-device-plugin"}, manager]},
    })
}

/// The GPU is whole, and the plugin was told so in time and advertises nothing.
fn stuck() -> Kit {
    let mut gpu_node = switching(Phase::Validating);
    let target: Target = read(gpu_node["spec"]["target"].clone());
    let key = plugin_config::key(&target, None);
    let mut status = maintenance(Phase::Validating);
    status.deadline = Some(Time(Timestamp::UNIX_EPOCH));
    status.plugin_config = Some(PluginConfigStatus {
        key: key.clone(),
        operation_id: status.operation_id,
        restarted_at: None,
    });
    gpu_node["status"]["maintenance"] = json!(status);
    gpu_node["status"]["agent"]["gpus"][0]["mig"] =
        json!({"current": "Disabled", "pending": "Disabled"});
    gpu_node["status"]["agent"]["operation"]["stage"] = json!("Done");
    let mut node = node("true");
    node["metadata"]["labels"][names::LABEL_PLUGIN_CONFIG] = json!(key);
    let mut kit = kit(&node, &gpu_node);
    kit.nodes.rules.may_restart_plugin = true;
    let notes = json!({plugin_config::annotation(&key): "2026-01-01T00:00:00Z"});
    let configs = json!({
        "metadata": {"name": "configs", "resourceVersion": "1", "annotations": notes},
        "data": {key: plugin_config::render(&target)},
    });
    kit.api.on(&format!("GET {CONFIGS}"), 200, configs);
    let pods = json!({"metadata": {}, "items": [plugin_pod()]});
    kit.api.instead(PODS, 200, pods);
    kit
}

#[tokio::test]
async fn its_pod_is_deleted_by_uid_and_that_is_written_down_and_told() {
    let kit = stuck();
    kit.nodes.visit(&kit.cached()).await.unwrap();
    let delete = format!("DELETE /api/v1/namespaces/gpu-operator/pods/{POD}");
    let status = format!("PATCH {GPU_NODE}/status");
    let expected = [&delete, &status, EVENTS, EVENTS];
    assert_eq!(kit.writes(), expected);
    let writes = kit.api.writes();
    assert_eq!(writes[0].body["preconditions"]["uid"], "uid-of-the-plugin");
    let chosen = &writes[1].body["status"]["maintenance"]["pluginConfig"];
    assert!(chosen["restartedAt"].is_string(), "{chosen}");
    assert_eq!(writes[2].body["reason"], "DevicePluginRestarted");
}

#[tokio::test]
async fn without_the_right_nothing_is_deleted_and_the_status_says_what_to_do() {
    let mut kit = stuck();
    kit.nodes.rules.may_restart_plugin = false;
    kit.nodes.visit(&kit.cached()).await.unwrap();
    let writes = kit.api.writes();
    let status = writes.iter().find(|asked| asked.what.ends_with("/status"));
    let sentence = &status.unwrap().body["status"]["maintenance"]["waitingFor"];
    let sentence = sentence.as_str().unwrap();
    assert!(
        sentence.contains(&format!("delete pod gpu-operator/{POD}")),
        "{sentence}"
    );
    assert!(!writes.iter().any(|asked| asked.what.starts_with("DELETE")));
}
