//! Another strategy by server-side apply: the settings of the old one go with it.

use crds::GpuSharingPolicy;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::installed;
use crate::request::refusal;

async fn applied(
    client: &Client,
    name: &str,
    manager: &str,
    force: bool,
    strategy: &Value,
) -> Result<Value, kube::Error> {
    let policies: Api<GpuSharingPolicy> = Api::all(client.clone());
    let mut params = PatchParams::apply(manager);
    params.force = force;
    let policy = json!({
        "apiVersion": "gpusharing.dev/v1alpha1",
        "kind": "GpuSharingPolicy",
        "metadata": {"name": name},
        "spec": {"strategy": strategy},
    });
    let stored = policies.patch(name, &params, &Patch::Apply(policy)).await?;
    Ok(serde_json::to_value(stored.spec.strategy).unwrap())
}

fn slicing() -> Value {
    json!({"type": "TimeSlicing", "timeSlicing": {"replicas": 4, "renameByDefault": false, "failRequestsGreaterThanOne": true}})
}

fn mig() -> Value {
    json!({"type": "MIG", "mig": {"layout": {"1g.5gb": 7}, "adopt": false, "advertise": "Mixed"}})
}

async fn delete(client: &Client, name: &str) {
    let policies: Api<GpuSharingPolicy> = Api::all(client.clone());
    policies
        .delete(name, &DeleteParams::default())
        .await
        .unwrap();
}

#[tokio::test]
async fn its_owner_switches_the_strategy_to_and_fro() {
    let (_bed, client) = installed().await;
    let least = json!({"type": "TimeSlicing", "timeSlicing": {"replicas": 4}});
    for (written, stored) in [(&least, slicing()), (&mig(), mig()), (&least, slicing())] {
        let found = applied(&client, "switch", "a", false, written).await;
        assert_eq!(found.unwrap(), stored);
    }
    delete(&client, "switch").await;
}

#[tokio::test]
async fn somebody_else_switches_the_strategy_only_by_force() {
    let (_bed, client) = installed().await;
    let name = "switch-by-force";
    applied(&client, name, "a", false, &slicing())
        .await
        .unwrap();

    match applied(&client, name, "b", false, &mig()).await {
        Err(kube::Error::Api(status)) if status.code == 409 => {
            assert!(
                status
                    .message
                    .contains("conflict with \"a\": .spec.strategy")
            );
        }
        other => panic!("no conflict but {other:?}"),
    }
    let found = applied(&client, name, "b", true, &mig()).await;
    assert_eq!(found.unwrap(), mig());
    delete(&client, name).await;
}

#[tokio::test]
async fn who_created_a_policy_otherwise_may_be_overruled_by_force() {
    let (_bed, client) = installed().await;
    let name = "created";
    let policies: Api<GpuSharingPolicy> = Api::all(client.clone());
    let spec = serde_json::from_value(json!({"strategy": slicing()})).unwrap();
    let policy = GpuSharingPolicy::new(name, spec);
    policies
        .create(&PostParams::default(), &policy)
        .await
        .unwrap();
    let found = applied(&client, name, "b", true, &mig()).await;
    assert_eq!(found.unwrap(), mig());
    delete(&client, name).await;
}

#[tokio::test]
async fn a_merge_that_leaves_the_old_settings_is_refused_and_told_which() {
    let (_bed, client) = installed().await;
    let name = "merged";
    let policies: Api<GpuSharingPolicy> = Api::all(client.clone());
    applied(&client, name, "a", false, &slicing())
        .await
        .unwrap();
    let params = PatchParams::default();
    let merge = async |mut strategy: Value, old: Option<Value>| {
        if let Some(old) = old {
            strategy["timeSlicing"] = old;
        }
        let patch = Patch::Merge(json!({"spec": {"strategy": strategy}}));
        policies.patch(name, &params, &patch).await
    };
    match merge(mig(), None).await {
        Err(kube::Error::Api(status)) => {
            let fields: Vec<_> = refusal(&status).into_keys().collect();
            assert_eq!(fields, ["spec.strategy.timeSlicing"]);
        }
        other => panic!("not refused but {other:?}"),
    }
    let merged = merge(mig(), Some(Value::Null)).await.unwrap();
    assert_eq!(serde_json::to_value(merged.spec.strategy).unwrap(), mig());
    delete(&client, name).await;
}
