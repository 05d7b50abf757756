//! What the API server fills in is what our types hold, and our types lose nothing of what it stores.

use std::fmt::Debug;

use crds::{GpuNodeSpec, GpuSharingPolicySpec};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::cases::tables;
use crate::installed;
use crate::request::{Unknown, check};

#[tokio::test]
async fn the_defaults_of_the_api_server_are_those_of_our_types() {
    for (case, written, stored) in accepted().await {
        let (written, stored) = (without_nothings(written), without_nothings(stored));
        match case.kind.as_str() {
            "GpuNode" => same_defaults::<GpuNodeSpec>(&case.name, written, stored),
            _ => same_defaults::<GpuSharingPolicySpec>(&case.name, written, stored),
        }
    }
}

#[tokio::test]
async fn our_types_lose_nothing() {
    for (case, _, stored) in accepted().await {
        let returned = match case.kind.as_str() {
            "GpuNode" => round_trip::<GpuNodeSpec>(stored.clone()),
            _ => round_trip::<GpuSharingPolicySpec>(stored.clone()),
        };
        let (returned, stored) = (without_nothings(returned), without_nothings(stored));
        assert_eq!(returned, stored, "{}", case.name);
    }
}

/// Which case it is.
struct Id {
    kind: String,
    name: String,
}

/// Of every accepted case: the spec as written, and as it would be stored.
async fn accepted() -> Vec<(Id, Value, Value)> {
    let (_bed, client) = installed().await;
    let mut all = Vec::new();
    for (_, table) in tables() {
        for case in &table.accepted {
            let object = case.object(&table.kind);
            let stored = check(&client, &table.kind, &object, Unknown::Refused).await;
            let stored = stored.unwrap_or_else(|why| panic!("{}: {why:?}", case.name));
            let id = Id {
                kind: table.kind.clone(),
                name: case.name.clone(),
            };
            all.push((id, object["spec"].clone(), stored["spec"].clone()));
        }
    }
    all
}

fn same_defaults<T: DeserializeOwned + PartialEq + Debug>(
    name: &str,
    written: Value,
    stored: Value,
) {
    let ours: T = serde_json::from_value(written).unwrap();
    let theirs: T = serde_json::from_value(stored).unwrap();
    assert_eq!(ours, theirs, "{name}");
}

fn round_trip<T: DeserializeOwned + Serialize>(stored: Value) -> Value {
    let typed: T = serde_json::from_value(stored).unwrap();
    serde_json::to_value(typed).unwrap()
}

/// Without members that are null, which the API server takes for members that are not there, and without empty lists,
/// which everybody does.
fn without_nothings(value: Value) -> Value {
    let is_nothing = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    match value {
        Value::Object(members) => {
            let set = members.into_iter().filter(|(_, value)| !is_nothing(value));
            let set = set.map(|(name, it)| (name, without_nothings(it)));
            Value::Object(set.collect())
        }
        Value::Array(items) => items.into_iter().map(without_nothings).collect(),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => other,
    }
}
