use std::collections::BTreeSet;

use crds::gpu_node::Phase;
use proptest::prelude::*;
use serde_json::json;

use super::super::{NodeSummary, report};
use super::{busy, node, now, policy, slot, waiting, with_slots};
use crate::conditions;
use crate::reason::Reason;

fn a_node(index: usize) -> impl Strategy<Value = NodeSummary> {
    let name = format!("n{index}");
    (0..6, any::<bool>(), 0..3_i32, 0..4_i64).prop_map(
        move |(kind, unavailable, attempts, since)| {
            let node = match kind {
                0 => node(&name),
                1 => busy(&name, Phase::Draining, 8),
                2 => busy(&name, Phase::Quarantined, 8),
                3 => waiting(&name, "PreflightBlocked", since),
                _ => waiting(&name, "AwaitingSlot", since),
            };
            NodeSummary {
                unavailable: unavailable || node.unavailable,
                attempts,
                ..node
            }
        },
    )
}

fn nodes() -> impl Strategy<Value = Vec<NodeSummary>> {
    (1..8_usize).prop_flat_map(|number| (0..number).map(a_node).collect::<Vec<_>>())
}

/// Nodes that are out of service, or have the right to be.
fn out(nodes: &[NodeSummary], slots: &[crds::policy::Slot]) -> BTreeSet<String> {
    let busy = nodes
        .iter()
        .filter(|node| node.unavailable || node.is_in_flight());
    busy.map(|node| node.name.clone())
        .chain(slots.iter().map(|slot| slot.node.clone()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// A grant never takes the policy over its budget, and takes all of it that there is unless the roll-out is halted.
    #[test]
    fn the_budget_is_kept_and_used(nodes in nodes(), limit in 0..6_usize, held in proptest::collection::btree_set(0..8_usize, 0..3)) {
        let slots: Vec<_> = held.iter().map(|index| slot(&format!("n{index}"), 8)).collect();
        let policy = with_slots(policy(json!({"maxUnavailable": limit})), slots);
        let status = report(&policy, &nodes, now()).status;
        let (slots, is_halted) = (status.slots, conditions::holds(&status.conditions, "RolloutHalted"));
        let before = super::super::slots::kept(&policy.status.as_ref().unwrap().slots, &nodes.iter().collect::<Vec<_>>());
        let (was, is) = (out(&nodes, &before), out(&nodes, &slots));
        prop_assert!(is.len() <= limit.max(was.len()));
        let more = nodes.iter().any(|node| {
            node.waiting.as_ref().is_some_and(|waiting| waiting.reason == "AwaitingSlot")
                && !slots.iter().any(|slot| slot.node == node.name)
                && (is.len() < limit || (is.contains(&node.name) && is.len() == limit))
        });
        prop_assert!(!more || is_halted, "{slots:?}");
        prop_assert!(!is_halted || slots == before, "{slots:?}");
    }

    /// A report of its own result is the same, to the last byte, at any later moment.
    #[test]
    fn a_report_is_settled_at_once(nodes in nodes(), limit in 0..6_usize, seconds in 0..10_000_i64) {
        let mut policy = policy(json!({"maxUnavailable": limit}));
        policy.status = Some(report(&policy, &nodes, now()).status);
        let again = report(&policy, &nodes, now() + jiff::SignedDuration::from_secs(seconds));
        prop_assert_eq!(Some(&again.status), policy.status.as_ref());
        prop_assert!(again.events.is_empty());
    }

    /// Every condition has a word of the table and a sentence, and is about this generation.
    #[test]
    fn a_report_is_explained(nodes in nodes(), limit in 0..6_usize) {
        let status = report(&policy(json!({"maxUnavailable": limit})), &nodes, now()).status;
        for condition in status.conditions {
            prop_assert_eq!(Reason::of(&condition.reason).as_str(), &condition.reason);
            prop_assert!(!condition.message.is_empty(), "{}", condition.type_);
            prop_assert_eq!(condition.observed_generation, Some(3));
        }
    }

    /// Whoever has waited longest with the fewest attempts gets the slot, whatever the order of the list.
    #[test]
    fn nobody_is_overtaken(mut nodes in nodes(), turn in 0..8_usize) {
        for node in &mut nodes { node.unavailable = node.is_in_flight(); }
        let slots = report(&policy(json!({"maxUnavailable": 8})), &nodes, now()).status.slots;
        let one = |nodes: &[NodeSummary], limit: usize| report(&policy(json!({"maxUnavailable": limit})), nodes, now()).status.slots;
        let taken = out(&nodes, &[]).len();
        let first = one(&nodes, taken + 1);
        let by = turn % nodes.len();
        nodes.rotate_left(by);
        prop_assert_eq!(&one(&nodes, taken + 1), &first);
        if let Some(first) = first.first() {
            let key = |name: &str| nodes.iter().find(|node| node.name == name).map(|node| (node.attempts, node.pending_since, node.name.clone()));
            prop_assert!(slots.iter().all(|slot| key(&slot.node) >= key(&first.node)));
        }
    }
}
