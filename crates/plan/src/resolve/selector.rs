//! Which policies select a node, and which of them wins.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crds::GpuSharingPolicy;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
use kube::ResourceExt;

/// The policy in effect for a node with these labels: of those that select it the one with the highest priority, then
/// the oldest, then the first by name. Policies that are being deleted select nothing.
pub fn winner<'a>(
    policies: impl IntoIterator<Item = &'a GpuSharingPolicy>,
    node_labels: &BTreeMap<String, String>,
) -> Option<&'a GpuSharingPolicy> {
    let selects = |policy: &&GpuSharingPolicy| {
        let selector = policy.spec.node_selector.as_ref();
        policy.metadata.deletion_timestamp.is_none()
            && selector.is_none_or(|selector| matches(selector, node_labels))
    };
    policies.into_iter().filter(selects).min_by_key(|policy| {
        let created = policy.creation_timestamp().map(|time| time.0);
        (Reverse(policy.spec.priority), created, policy.name_any())
    })
}

/// Whether labels satisfy a selector, as Kubernetes reads it: all of it must hold, and an empty one always does. An
/// operator that Kubernetes does not know holds never.
pub fn matches(selector: &LabelSelector, labels: &BTreeMap<String, String>) -> bool {
    let equal = selector.match_labels.iter().flatten();
    let mut required = selector.match_expressions.iter().flatten();
    equal
        .into_iter()
        .all(|(key, value)| labels.get(key) == Some(value))
        && required.all(|requirement| holds(requirement, labels.get(&requirement.key)))
}

fn holds(requirement: &LabelSelectorRequirement, value: Option<&String>) -> bool {
    let values = requirement.values.as_deref().unwrap_or_default();
    match (requirement.operator.as_str(), value) {
        ("In", Some(value)) => values.contains(value),
        ("NotIn", Some(value)) => !values.contains(value),
        ("Exists", value) => value.is_some(),
        ("DoesNotExist", value) => value.is_none(),
        ("NotIn", None) => true,
        _ => false,
    }
}

/// What is wrong with a selector, as a sentence without its full stop.
pub(super) fn wrong(selector: &LabelSelector) -> Option<String> {
    let required = selector.match_expressions.iter().flatten();
    required.into_iter().find_map(|requirement| {
        let (key, operator) = (&requirement.key, requirement.operator.as_str());
        let none = requirement.values.as_ref().is_none_or(Vec::is_empty);
        match (operator, none) {
            ("In" | "NotIn", true) => Some(format!("{key} {operator} needs values")),
            ("Exists" | "DoesNotExist", false) => Some(format!("{key} {operator} takes no values")),
            ("In" | "NotIn" | "Exists" | "DoesNotExist", _) => None,
            _ => Some(format!(
                "{operator:?} is no operator for {key}; write In, NotIn, Exists or DoesNotExist"
            )),
        }
    })
}
