//! Whole roll-outs, with windows, zones and canaries: what holds of every policy and all nodes.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crds::GpuSharingPolicy;
use crds::gpu_node::{OperationResult, Phase};
use crds::policy::Slot;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::super::{NodeSummary, Report, limit, report};
use super::{node, now, policy, slot, waiting, with_slots};
use crate::conditions;
use crate::windows::{Schedule, need};

const PHASES: [Phase; 6] = [
    Phase::Pending,
    Phase::InSync,
    Phase::Preparing,
    Phase::Draining,
    Phase::Releasing,
    Phase::Quarantined,
];
const REASONS: [&str; 4] = ["AwaitingSlot", "WindowClosed", "BackingOff", "HeldByUser"];
/// In the past: operations are numbered by the second.
const OPERATION: i64 = 1_700_000_000;

fn minutes(number: i64) -> SignedDuration {
    SignedDuration::from_mins(number)
}

fn any_node(index: usize) -> impl Strategy<Value = NodeSummary> {
    let condition = (
        any::<bool>(),
        prop::option::weighted(0.7, select(vec!["x", "y"])),
    );
    let past = prop::collection::vec((1..400_i64, any::<bool>()), 0..3);
    let place = (prop::bool::weighted(0.9), 0..3_i64, 0..3_i32, 0..300_i64);
    (
        select(PHASES.to_vec()),
        select(REASONS.to_vec()),
        condition,
        past,
        place,
    )
        .prop_map(
            move |(phase, word, (down, zone), past, (won, operations, attempts, since))| {
                let pending = phase == Phase::Pending;
                let result = |good| {
                    if good {
                        OperationResult::Succeeded
                    } else {
                        OperationResult::Failed
                    }
                };
                let mut history: Vec<_> = past
                    .into_iter()
                    .map(|(ago, good)| (now() - minutes(ago), result(good)))
                    .collect();
                history.sort_by_key(|(at, _)| Reverse(*at));
                NodeSummary {
                    won,
                    topology: zone.map(str::to_owned),
                    unavailable: down,
                    phase,
                    waiting: waiting("", word, 0).waiting.filter(|_| pending),
                    operation_id: OPERATION + operations,
                    attempts,
                    pending_since: pending.then(|| now() - minutes(since)),
                    history,
                    ..node(&format!("n{index}"))
                }
            },
        )
}

fn any_nodes() -> impl Strategy<Value = Vec<NodeSummary>> {
    (1..9_usize).prop_flat_map(|number| (0..number).map(any_node).collect::<Vec<_>>())
}

fn any_rules() -> impl Strategy<Value = Value> {
    let budget = prop_oneof![
        (0..4).prop_map(|number| json!(number)),
        select(vec!["0%", "10%", "34%", "100%"]).prop_map(|text| json!(text)),
    ];
    let windows = select(vec![
        json!([]),
        json!([{"start": "00:00", "end": "02:00"}]),
        json!([{"start": "00:00", "end": "01:10"}]),
        json!([{"start": "00:00", "end": "01:10"}, {"start": "01:10", "duration": "13m"}]),
        json!([{"cron": "30 1 * * *", "duration": "2h"}]),
    ]);
    (
        budget,
        windows,
        any::<bool>(),
        prop::option::of(1..3_i32),
        1..6_i32,
    )
        .prop_map(|(budget, windows, zones, canary, halt)| {
            let mut rules =
                json!({"maxUnavailable": budget, "windows": windows, "haltAfterFailures": halt});
            if zones {
                rules["topologyKey"] = json!("zone");
            }
            if let Some(canary) = canary {
                rules["canary"] = json!({"nodes": canary, "soak": "30m"});
            }
            rules
        })
}

/// A policy with some slots, also of nodes that are gone.
fn any_policy() -> impl Strategy<Value = GpuSharingPolicy> {
    let slots = prop::collection::btree_map(0..9_usize, 0..3_i64, 0..3);
    (any_rules(), slots).prop_map(|(rules, slots)| {
        let slot = |(index, operation)| slot(&format!("n{index}"), OPERATION + operation);
        with_slots(policy(rules), slots.into_iter().map(slot).collect())
    })
}

/// Everybody who is out of service, or may be.
fn out(slots: &[Slot], nodes: &[NodeSummary]) -> BTreeSet<String> {
    let down = nodes
        .iter()
        .filter(|node| node.unavailable || node.is_in_flight());
    let slots = slots.iter().map(|slot| slot.node.clone());
    slots.chain(down.map(|node| node.name.clone())).collect()
}

/// The slots that were there before, and those that were not.
fn split(policy: &GpuSharingPolicy, report: &Report) -> (Vec<Slot>, Vec<Slot>) {
    let before = policy.status.clone().unwrap_or_default().slots;
    report
        .status
        .slots
        .iter()
        .cloned()
        .partition(|slot| before.contains(slot))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_grant_keeps_to_the_budget_the_window_and_what_nodes_wait_for(policy in any_policy(), nodes in any_nodes()) {
        let report = report(&policy, &nodes, now());
        let (_, new) = split(&policy, &report);
        let rules = &policy.spec.maintenance;
        let matched = nodes.iter().filter(|node| node.won).count();
        if !new.is_empty() {
            let window = Schedule::parse(rules).unwrap().at(now());
            prop_assert!(window.admits(now(), need(rules)).is_ok(), "{:?}", window);
            prop_assert!(out(&report.status.slots, &nodes).len() <= limit(&rules.max_unavailable, matched));
            prop_assert!(!conditions::holds(&report.status.conditions, "RolloutHalted"));
        }
        for slot in new {
            let node = nodes.iter().find(|node| node.name == slot.node).unwrap();
            let word = &node.waiting.as_ref().unwrap().reason;
            prop_assert!(node.won && node.phase == Phase::Pending && node.uid == slot.uid);
            prop_assert!(word == "AwaitingSlot" || word == "WindowClosed");
            prop_assert!(slot.operation > node.operation_id);
        }
    }

    #[test]
    fn a_slot_in_use_is_never_taken_back(policy in any_policy(), nodes in any_nodes()) {
        let report = report(&policy, &nodes, now());
        let (kept, _) = split(&policy, &report);
        for slot in &policy.status.unwrap().slots {
            let node = nodes.iter().find(|node| node.name == slot.node);
            if node.is_some_and(NodeSummary::is_in_flight) {
                prop_assert!(kept.contains(slot));
            }
            if node.is_none() {
                prop_assert!(!kept.contains(slot));
            }
        }
    }

    /// An idle policy is never written: until the moment that the report names, another look says the same.
    #[test]
    fn nothing_changes_before_the_moment_to_look_again(policy in any_policy(), nodes in any_nodes(), part in 0.0..1.0_f64) {
        let first = report(&policy, &nodes, now());
        let after = GpuSharingPolicy { status: Some(first.status.clone()), ..policy };
        let length = first.next.map_or(minutes(100_000), |next| next.duration_since(now()));
        prop_assert!(length > minutes(0));
        for moment in [now(), now() + length.mul_f64(part * 0.999)] {
            let again = report(&after, &nodes, moment);
            prop_assert_eq!(&again.status, &first.status);
            prop_assert_eq!(&again.events, &vec![]);
            prop_assert_eq!(again.next, first.next);
        }
    }

    /// While slots are given out one after the other, and whatever becomes of the operations, everybody gets there.
    #[test]
    fn every_node_gets_its_turn(rules in any_rules(), zones in prop::collection::vec(0..3_usize, 1..9), fate in prop::collection::vec(any::<bool>(), 8)) {
        let mut rules = rules;
        rules["haltAfterFailures"] = json!(100);
        rules["windows"] = json!([{"start": "00:00", "end": "02:00"}, {"start": "18:00", "end": "19:00"}]);
        let mut policy = policy(rules);
        prop_assume!(limit(&policy.spec.maintenance.max_unavailable, zones.len()) > 0);
        let named = |(index, zone): (usize, &usize)| NodeSummary { topology: Some(zone.to_string()), ..waiting(&format!("n{index}"), "AwaitingSlot", 0) };
        let mut nodes: Vec<_> = zones.iter().enumerate().map(named).collect();
        let (mut moment, mut fate) = (now(), fate.into_iter());
        for _ in 0..100 {
            let report = report(&policy, &nodes, moment);
            policy.status = Some(report.status.clone());
            for slot in &report.status.slots {
                let node = nodes.iter_mut().find(|node| node.name == slot.node).unwrap();
                finish(node, slot, fate.next().unwrap_or(true), moment);
            }
            if report.status.slots.is_empty() {
                let done = nodes.iter().all(|node| node.phase == Phase::InSync);
                if done { return Ok(()) }
                moment = report.next.unwrap();
            }
        }
        prop_assert!(false, "some are never done: {:?}", nodes);
    }
}

/// The operation of a slot succeeds, or fails and is to be tried again.
fn finish(node: &mut NodeSummary, slot: &Slot, succeeds: bool, now: Timestamp) {
    node.operation_id = slot.operation;
    if succeeds {
        (node.phase, node.waiting, node.attempts) = (Phase::InSync, None, 0);
        node.history.insert(0, (now, OperationResult::Succeeded));
    } else {
        node.attempts += 1;
        node.pending_since = Some(now);
        node.history.insert(0, (now, OperationResult::Failed));
    }
}
