use std::collections::BTreeSet;

use std::collections::BTreeMap;

use crds::GpuSharingPolicy;
use kube::ResourceExt;
use serde_json::{Value, json};

use super::super::{Wish, winner, wish};
use super::{policy, t4};
use crate::neighbours::Neighbours;

fn named(name: &str, created: &str, priority: i32, selector: Value) -> GpuSharingPolicy {
    let mut policy = policy(json!({
        "strategy": {"type": "Exclusive"}, "priority": priority, "nodeSelector": selector,
    }));
    policy.metadata.name = Some(name.to_owned());
    policy.metadata.creation_timestamp =
        Some(serde_json::from_value(json!(format!("2026-01-{created}T00:00:00Z"))).unwrap());
    policy
}

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    pairs.iter().map(own).collect()
}

#[test]
fn the_highest_priority_wins_then_the_oldest_then_the_first_by_name() {
    let any = json!({});
    let old = named("z-old", "01", 0, any.clone());
    let young = named("a-young", "02", 0, any.clone());
    let twin = named("b-old", "01", 0, any.clone());
    let high = named("high", "09", 5, any);
    for (policies, expected) in [
        (vec![&young, &old], "z-old"),
        (vec![&old, &twin], "b-old"),
        (vec![&young, &old, &twin, &high], "high"),
    ] {
        for turned in [policies.clone(), policies.into_iter().rev().collect()] {
            let winner = winner(turned, &labels(&[])).unwrap();
            assert_eq!(winner.name_any(), expected);
        }
    }
}

#[test]
fn a_policy_that_is_being_deleted_or_selects_others_wins_nothing() {
    let mut gone = named("gone", "01", 0, json!({}));
    gone.metadata.deletion_timestamp =
        Some(serde_json::from_value(json!("2026-01-02T00:00:00Z")).unwrap());
    let other = named("other", "01", 0, json!({"matchLabels": {"pool": "a"}}));
    assert!(winner([&gone, &other], &labels(&[("pool", "b")])).is_none());
    let (none, unmanaged) = wish(
        [&gone, &other],
        &labels(&[]),
        &Neighbours::default(),
        &[t4(0)],
        &BTreeSet::new(),
    );
    assert!(none.is_none());
    assert_eq!(unmanaged, Wish::Unmanaged);
}

#[test]
fn selectors_are_read_as_kubernetes_reads_them() {
    let expression = |key: &str, operator: &str, values: Value| json!({"matchExpressions": [{"key": key, "operator": operator, "values": values}]});
    let node = labels(&[("pool", "a"), ("zone", "")]);
    for (selector, expected) in [
        (json!({}), true),
        (json!({"matchLabels": {"pool": "a"}}), true),
        (json!({"matchLabels": {"pool": "a", "zone": "x"}}), false),
        (json!({"matchLabels": {"none": ""}}), false),
        (expression("pool", "In", json!(["b", "a"])), true),
        (expression("pool", "In", json!(["b"])), false),
        (expression("none", "In", json!([""])), false),
        (expression("pool", "NotIn", json!(["b"])), true),
        (expression("pool", "NotIn", json!(["a"])), false),
        (expression("none", "NotIn", json!(["a"])), true),
        (expression("zone", "Exists", Value::Null), true),
        (expression("none", "Exists", Value::Null), false),
        (expression("none", "DoesNotExist", Value::Null), true),
        (expression("zone", "DoesNotExist", Value::Null), false),
        (expression("pool", "Near", json!(["a"])), false),
    ] {
        let policy = named("p", "01", 0, selector.clone());
        assert_eq!(winner([&policy], &node).is_some(), expected, "{selector}");
    }
}
