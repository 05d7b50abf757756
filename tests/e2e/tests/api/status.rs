//! Spec and status, and the two writers of a node's status, keep out of each other's way.

use crds::names::{AGENT_MANAGER, OPERATOR_MANAGER};
use crds::{GpuNode, GpuSharingPolicy};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::installed;
use crate::request::refusal;

/// A node's GPUs that nobody has said anything about.
async fn node(client: &Client, name: &str) -> Api<GpuNode> {
    let nodes: Api<GpuNode> = Api::all(client.clone());
    let node = GpuNode::new(name, crds::GpuNodeSpec::default());
    nodes.create(&PostParams::default(), &node).await.unwrap();
    nodes
}

async fn apply(
    nodes: &Api<GpuNode>,
    name: &str,
    manager: &str,
    status: Value,
) -> Result<Value, kube::Error> {
    let patch = json!({
        "apiVersion": "gpusharing.dev/v1alpha1",
        "kind": "GpuNode",
        "metadata": {"name": name},
        "status": status,
    });
    let params = PatchParams::apply(manager);
    let node = nodes
        .patch_status(name, &params, &Patch::Apply(patch))
        .await?;
    Ok(serde_json::to_value(node.status).unwrap())
}

fn condition(kind: &str, status: &str) -> Value {
    json!({
        "type": kind, "status": status, "reason": "Because", "message": "it is so.",
        "lastTransitionTime": "2026-11-23T22:00:00Z",
    })
}

/// `{type: status}` of conditions.
fn conditions(of: &Value) -> Value {
    let conditions = of["conditions"].as_array().unwrap().iter();
    let pairs = conditions.map(|it| {
        (
            it["type"].as_str().unwrap().to_owned(),
            it["status"].clone(),
        )
    });
    Value::Object(pairs.collect())
}

#[tokio::test]
async fn agent_and_operator_write_side_by_side_without_force() {
    let (_bed, client) = installed().await;
    let name = "side-by-side";
    let nodes = node(&client, name).await;
    let agent =
        |boot: &str| json!({"agent": {"bootId": boot, "summary": {"product": "A100", "gpus": 8}}});
    let draining =
        json!({"maintenance": {"phase": "Draining", "operationId": 7, "waitingFor": "a pod"}});

    apply(&nodes, name, AGENT_MANAGER, agent("one"))
        .await
        .unwrap();
    let status = apply(&nodes, name, OPERATOR_MANAGER, draining)
        .await
        .unwrap();
    assert_eq!(status["agent"]["bootId"], "one");
    let status = apply(&nodes, name, AGENT_MANAGER, agent("two"))
        .await
        .unwrap();
    assert_eq!(status["agent"]["bootId"], "two");
    assert_eq!(status["maintenance"]["waitingFor"], "a pod");

    let over = json!({"maintenance": {"phase": "InSync", "operationId": 7}});
    let status = apply(&nodes, name, OPERATOR_MANAGER, over).await.unwrap();
    assert_eq!(status["maintenance"].get("waitingFor"), None);
    assert_eq!(status["maintenance"]["phase"], "InSync");
    assert_eq!(status["agent"]["bootId"], "two");
    assert_eq!(status["agent"]["summary"]["gpus"], 8);
    nodes.delete(name, &DeleteParams::default()).await.unwrap();
}

#[tokio::test]
async fn the_operator_cannot_take_what_the_agent_says_by_accident() {
    let (_bed, client) = installed().await;
    let name = "by-accident";
    let nodes = node(&client, name).await;
    let says = |boot: &str| json!({"agent": {"bootId": boot}});
    apply(&nodes, name, AGENT_MANAGER, says("one"))
        .await
        .unwrap();
    match apply(&nodes, name, OPERATOR_MANAGER, says("two")).await {
        Err(kube::Error::Api(status)) if status.code == 409 => {
            assert!(
                status.message.contains(".status.agent.bootId"),
                "{status:?}"
            );
        }
        other => panic!("no conflict but {other:?}"),
    }
    nodes.delete(name, &DeleteParams::default()).await.unwrap();
}

#[tokio::test]
async fn conditions_merge_by_their_type() {
    let (_bed, client) = installed().await;
    let name = "conditions";
    let nodes = node(&client, name).await;
    let says = |all: Value| json!({"agent": {"bootId": "one", "conditions": all}});
    let ready = says(json!([condition("Ready", "True")]));
    let drifted = says(json!([condition("Drifted", "False")]));
    apply(&nodes, name, "a", ready).await.unwrap();
    let status = apply(&nodes, name, "b", drifted).await.unwrap();
    let both = json!({"Ready": "True", "Drifted": "False"});
    assert_eq!(conditions(&status["agent"]), both);

    let status = apply(&nodes, name, "a", says(json!([]))).await.unwrap();
    assert_eq!(conditions(&status["agent"]), json!({"Drifted": "False"}));

    let twice = says(json!([
        condition("Ready", "True"),
        condition("Ready", "False")
    ]));
    apply(&nodes, name, "a", twice).await.unwrap_err();
    nodes.delete(name, &DeleteParams::default()).await.unwrap();
}

#[tokio::test]
async fn a_status_that_cannot_be_is_refused() {
    let (_bed, client) = installed().await;
    let name = "cannot-be";
    let nodes = node(&client, name).await;
    let gpu = json!({
        "index": 0, "uuid": "GPU-1", "product": "A100", "memoryMiB": 40960,
        "mig": {"current": "Disabled", "pending": "Disabled"},
    });
    for (status, field) in [
        (
            json!({"maintenance": {"phase": "Sleeping"}}),
            "status.maintenance.phase",
        ),
        (
            json!({"agent": {"bootId": "1", "gpus": vec![gpu; 33]}}),
            "status.agent.gpus",
        ),
        (json!({"agent": {}}), "status.agent.bootId"),
    ] {
        match apply(&nodes, name, "a", status).await {
            Err(kube::Error::Api(status)) => {
                let fields: Vec<_> = refusal(&status).into_keys().collect();
                assert_eq!(fields, [field]);
            }
            other => panic!("not refused but {other:?}"),
        }
    }
    nodes.delete(name, &DeleteParams::default()).await.unwrap();
}

#[tokio::test]
async fn who_writes_the_status_does_not_write_the_spec_and_the_other_way_round() {
    let (_bed, client) = installed().await;
    let name = "apart";
    let policies: Api<GpuSharingPolicy> = Api::all(client.clone());
    let spec = serde_json::from_value(json!({"strategy": {"type": "Exclusive"}})).unwrap();
    let policy = GpuSharingPolicy::new(name, spec);
    policies
        .create(&PostParams::default(), &policy)
        .await
        .unwrap();
    let both = |priority: i32, seen: i64| {
        Patch::Merge(json!({
            "spec": {"priority": priority},
            "status": {"observedGeneration": seen},
        }))
    };
    let params = PatchParams::default();

    let found = policies
        .patch_status(name, &params, &both(1, 1))
        .await
        .unwrap();
    assert_eq!(found.spec.priority, 0);
    assert_eq!(found.metadata.generation, Some(1));
    assert_eq!(found.status.unwrap().observed_generation, Some(1));

    let found = policies.patch(name, &params, &both(2, 2)).await.unwrap();
    assert_eq!(found.spec.priority, 2);
    assert_eq!(found.metadata.generation, Some(2));
    assert_eq!(found.status.unwrap().observed_generation, Some(1));
    policies
        .delete(name, &DeleteParams::default())
        .await
        .unwrap();
}
