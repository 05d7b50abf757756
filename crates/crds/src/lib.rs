//! The API of the GPU sharing operator: two cluster-scoped kinds of `gpusharing.dev/v1alpha1`.
//!
//! ```text
//! GpuSharingPolicy   an administrator says how the GPUs of a group of nodes are shared, and when they may be changed
//!       │ resolved by the operator into
//!       ▼
//! GpuNode            one per node with GPUs: what it should be (spec), what it is (status.agent), what is being
//!                    done about the difference (status.maintenance)
//! ```
//!
//! This crate holds the types, their schemas and the rules that the API server enforces. It does no I/O and has no
//! Kubernetes client; the `crdgen` binary prints the definitions for the chart.

pub mod gpu_node;
pub mod names;
pub mod policy;
mod quantity;
mod schema;

pub use gpu_node::{GpuNode, GpuNodeSpec, GpuNodeStatus};
pub use policy::{GpuSharingPolicy, GpuSharingPolicySpec, GpuSharingPolicyStatus};
pub use quantity::{BytesError, DurationText, MemoryText, NodeCount};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use serde_json::Value;

/// Both definitions, ready to be applied.
///
/// # Errors
/// Never for the types of this crate: the test below holds that. The signature is that of the JSON round trip.
pub fn definitions() -> Result<Vec<CustomResourceDefinition>, serde_json::Error> {
    [GpuSharingPolicy::crd(), GpuNode::crd()]
        .into_iter()
        .map(|definition| {
            let mut json = serde_json::to_value(definition)?;
            refuse_null(&mut json);
            join_lines(&mut json);
            serde_json::from_value(json)
        })
        .collect()
}

/// Takes `nullable` away from numbers-or-strings: kube marks each of them so, which would let a `null` pass
/// validation that no type of ours can hold.
fn refuse_null(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.contains_key("x-kubernetes-int-or-string") {
                members.remove("nullable");
            }
            members.values_mut().for_each(refuse_null);
        }
        Value::Array(items) => items.iter_mut().for_each(refuse_null),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Joins the lines of each paragraph of the descriptions: `kubectl explain` breaks lines by itself, and keeps ours.
fn join_lines(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::String(description)) = members.get_mut("description") {
                let paragraphs = description.split("\n\n");
                let joined: Vec<_> = paragraphs.map(|it| it.replace('\n', " ")).collect();
                *description = joined.join("\n\n");
            }
            members.values_mut().for_each(join_lines);
        }
        Value::Array(items) => items.iter_mut().for_each(join_lines),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_status_may_be_null() {
        for definition in definitions().unwrap() {
            let text = serde_json::to_string(&definition).unwrap();
            assert_eq!(
                text.matches("nullable").count(),
                1,
                "{:?}",
                definition.metadata.name
            );
        }
    }

    /// What `kubectl explain` prints, except for the members that Kubernetes gives to every kind.
    #[test]
    fn each_field_is_described_in_paragraphs_of_one_line() {
        for definition in definitions().unwrap() {
            let json = serde_json::to_value(&definition).unwrap();
            let schema = &json["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
            for part in ["spec", "status"] {
                described(part, &schema["properties"][part]);
            }
        }
    }

    fn described(path: &str, schema: &Value) {
        let description = schema["description"].as_str().unwrap_or_default();
        assert!(!description.is_empty(), "{path} has no description");
        assert!(
            !description.replace("\n\n", "").contains('\n'),
            "{path}: {description}"
        );
        let inside = schema.get("items").unwrap_or(schema);
        for (name, member) in inside["properties"].as_object().into_iter().flatten() {
            described(&format!("{path}.{name}"), member);
        }
    }

    #[test]
    fn no_number_has_a_format_that_kubernetes_does_not_know() {
        let text = serde_json::to_string(&definitions().unwrap()).unwrap();
        assert!(!text.contains("\"uint"));
    }
}
