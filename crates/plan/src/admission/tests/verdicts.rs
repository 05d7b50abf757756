use crds::GpuSharingPolicy;
use crds::gpu_node::{OperationResult, Phase};
use jiff::Timestamp;
use serde_json::json;

use super::super::{NodeSummary, report};
use super::{busy, node, now, policy, waiting};
use crate::conditions::find;
use crate::reason::Reason;
use crate::resolve::{Problem, ProblemReason};

/// The conditions as `type=status/reason`.
fn conditions(policy: &GpuSharingPolicy, nodes: &[NodeSummary]) -> Vec<String> {
    let status = report(policy, nodes, now()).status;
    let short = |it: &k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition| {
        format!("{}={}/{}", it.type_, it.status, it.reason)
    };
    status.conditions.iter().map(short).collect()
}

fn refused(node: NodeSummary, reason: ProblemReason) -> NodeSummary {
    NodeSummary {
        problem: Some(Problem {
            reason,
            path: "spec.strategy.mig.layout".to_owned(),
            message: "it does not fit".to_owned(),
        }),
        ..node
    }
}

#[test]
fn the_conditions_tell_where_the_policy_is() {
    let any = policy(json!({}));
    let shut = policy(json!({"windows": [{"start": "02:00", "end": "05:00"}]}));
    for (policy, nodes, expected) in [
        (
            &any,
            vec![],
            [
                "Progressing=False/Idle",
                "Ready=True/NoNodes",
                "RolloutHalted=False/NotHalted",
                "Valid=True/Valid",
                "WindowOpen=True/Always",
            ],
        ),
        (
            &any,
            vec![node("a")],
            [
                "Progressing=False/Idle",
                "Ready=True/InSync",
                "RolloutHalted=False/NotHalted",
                "Valid=True/Valid",
                "WindowOpen=True/Always",
            ],
        ),
        (
            &shut,
            vec![node("a"), waiting("b", "WindowClosed", 0)],
            [
                "Progressing=False/Idle",
                "Ready=False/NodesDiffer",
                "RolloutHalted=False/NotHalted",
                "Valid=True/Valid",
                "WindowOpen=False/Closed",
            ],
        ),
        (
            &any,
            vec![busy("a", Phase::Draining, 8)],
            [
                "Progressing=True/NodesInMaintenance",
                "Ready=False/NodesDiffer",
                "RolloutHalted=False/NotHalted",
                "Valid=True/Valid",
                "WindowOpen=True/Always",
            ],
        ),
        (
            &any,
            vec![refused(node("a"), ProblemReason::NoPlacement)],
            [
                "Progressing=False/Idle",
                "Ready=False/Invalid",
                "RolloutHalted=False/NotHalted",
                "Valid=False/NoPlacement",
                "WindowOpen=True/Always",
            ],
        ),
        (
            &any,
            vec![refused(node("a"), ProblemReason::Blocked)],
            [
                "Progressing=False/Idle",
                "Ready=True/InSync",
                "RolloutHalted=False/NotHalted",
                "Valid=True/Valid",
                "WindowOpen=True/Always",
            ],
        ),
    ] {
        assert_eq!(conditions(policy, &nodes), expected, "{nodes:?}");
    }
}

#[test]
fn one_node_that_cannot_have_the_layout_stops_all() {
    let nodes = [
        waiting("a", "AwaitingSlot", 0),
        refused(waiting("b", "PolicyInvalid", 0), ProblemReason::NoPlacement),
    ];
    let report = report(&policy(json!({"maxUnavailable": 5})), &nodes, now());
    assert_eq!(report.status.slots, []);
    let valid = find(&report.status.conditions, "Valid").unwrap();
    assert_eq!(
        valid.message,
        "spec.strategy.mig.layout: it does not fit (on node b); nothing is changed on any node until this is put right"
    );
    assert_eq!(valid.observed_generation, Some(3));
    assert_eq!(report.events[0].reason, Reason::PolicyInvalid);
}

#[test]
fn one_node_in_a_bad_state_stops_nobody_else() {
    let nodes = [
        waiting("a", "AwaitingSlot", 0),
        refused(waiting("b", "PolicyInvalid", 0), ProblemReason::Blocked),
        // Whatever it is, another policy's node is another policy's.
        NodeSummary {
            won: false,
            ..refused(node("c"), ProblemReason::NoPlacement)
        },
    ];
    let report = report(&policy(json!({})), &nodes, now());
    assert_eq!(report.status.slots.len(), 1);
}

fn after(name: &str, attempts: i32, results: &[(i64, OperationResult)]) -> NodeSummary {
    NodeSummary {
        attempts,
        history: results
            .iter()
            .map(|(second, result)| (Timestamp::from_second(*second).unwrap(), *result))
            .collect(),
        ..waiting(name, "AwaitingSlot", 0)
    }
}

#[test]
fn too_many_failures_in_a_row_stop_the_roll_out() {
    use OperationResult::{Failed, Quarantined, Released, RolledBack, Succeeded};
    for (name, nodes, halted) in [
        (
            "three on three nodes",
            vec![
                after("a", 1, &[(1, Failed)]),
                after("b", 1, &[(2, RolledBack)]),
                after("c", 1, &[(3, Quarantined)]),
            ],
            true,
        ),
        (
            "three on one",
            vec![after("a", 3, &[(3, Failed), (2, Failed), (1, Failed)])],
            true,
        ),
        (
            "three on one, of which the history has kept one",
            vec![after("a", 3, &[(1, Failed)])],
            true,
        ),
        (
            "three on one, of which the history knows nothing",
            vec![after("a", 3, &[])],
            true,
        ),
        (
            "two",
            vec![after("a", 1, &[(1, Failed)]), after("b", 1, &[(2, Failed)])],
            false,
        ),
        (
            "a success in between",
            vec![
                after("a", 2, &[(4, Failed), (1, Failed)]),
                after("b", 0, &[(3, Succeeded)]),
                after("c", 1, &[(2, Failed)]),
            ],
            false,
        ),
        (
            "a success afterwards, of an operation that was under way",
            vec![
                after("a", 1, &[(1, Failed)]),
                after("b", 1, &[(2, RolledBack)]),
                after("c", 1, &[(3, Failed)]),
                after("d", 0, &[(4, Succeeded)]),
            ],
            true,
        ),
        (
            "one of them forgotten by a person",
            vec![
                after("a", 0, &[(1, Failed)]),
                after("b", 1, &[(2, RolledBack)]),
                after("c", 1, &[(3, Failed)]),
                after("d", 0, &[(4, Succeeded)]),
            ],
            false,
        ),
        (
            "a release in between",
            vec![
                after("a", 2, &[(4, Failed), (1, Failed)]),
                after("b", 0, &[(3, Released)]),
                after("c", 1, &[(2, Failed)]),
            ],
            true,
        ),
        (
            "forgotten by a person or a new spec",
            vec![after("a", 0, &[(3, Failed), (2, Failed), (1, Failed)])],
            false,
        ),
    ] {
        let report = report(&policy(json!({})), &nodes, now());
        let condition = find(&report.status.conditions, "RolloutHalted").unwrap();
        assert_eq!(condition.status == "True", halted, "{name}: {condition:?}");
        assert_eq!(report.status.slots.is_empty(), halted, "{name}");
        assert_eq!(
            report
                .events
                .iter()
                .any(|event| event.reason == Reason::RolloutHalted),
            halted,
            "{name}"
        );
    }
}

#[test]
fn more_than_a_fifth_of_the_nodes_in_quarantine_stop_the_roll_out() {
    let sick = |name: &str| busy(name, Phase::Quarantined, 8);
    let lost = |node: NodeSummary| NodeSummary { won: false, ..node };
    let with = |mut nodes: Vec<NodeSummary>, waiting_nodes: usize| {
        nodes.extend(
            (0..waiting_nodes).map(|index| waiting(&format!("w{index}"), "AwaitingSlot", 0)),
        );
        nodes
    };
    for (name, nodes, expected) in [
        ("none of five", with(vec![], 5), "False/NotHalted"),
        ("one of two", with(vec![sick("a")], 1), "False/NotHalted"),
        (
            "two of five",
            with(vec![sick("a"), sick("b")], 3),
            "True/TooManyQuarantined",
        ),
        (
            "three of ten",
            with(vec![sick("a"), sick("b"), sick("c")], 7),
            "True/TooManyQuarantined",
        ),
        (
            "two of six",
            with(vec![sick("a"), sick("b")], 4),
            "False/NotHalted",
        ),
        (
            "those of another policy do not count",
            with(vec![lost(sick("a"))], 2),
            "False/NotHalted",
        ),
        (
            "a node that failed and was given back",
            with(vec![after("a", 1, &[(1, OperationResult::Failed)])], 1),
            "False/NotHalted",
        ),
    ] {
        let report = report(&policy(json!({"maxUnavailable": 9})), &nodes, now());
        let condition = find(&report.status.conditions, "RolloutHalted").unwrap();
        assert_eq!(
            format!("{}/{}", condition.status, condition.reason),
            expected,
            "{name}"
        );
        let is_halted = expected.starts_with("True");
        let told = report
            .events
            .iter()
            .any(|event| event.reason == Reason::RolloutHalted);
        assert_eq!(
            (report.status.slots.is_empty(), told),
            (is_halted, is_halted),
            "{name}"
        );
    }
}

#[test]
fn nodes_are_counted_and_those_that_wait_are_named_by_reason() {
    let mut nodes = vec![
        node("in-sync"),
        busy("busy", Phase::Draining, 8),
        busy("broken", Phase::Quarantined, 8),
    ];
    nodes.extend((0..12).map(|index| waiting(&format!("w{index:02}"), "PreflightBlocked", 0)));
    nodes.push(NodeSummary {
        won: false,
        ..busy("lost", Phase::Draining, 8)
    });
    let status = report(&policy(json!({})), &nodes, now()).status;
    let totals = status.nodes;
    assert_eq!(
        (
            totals.matched,
            totals.in_sync,
            totals.pending,
            totals.in_maintenance,
            totals.quarantined
        ),
        (15, 1, 12, 1, 1)
    );
    assert_eq!((status.gpus.total, status.gpus.in_sync), (30, 2));
    let [waits] = status.waiting.as_slice() else {
        panic!("{:?}", status.waiting)
    };
    assert_eq!(
        (waits.count, waits.nodes.len(), waits.message.as_str()),
        (12, 10, "w00 waits")
    );
}

#[test]
fn a_condition_is_dated_when_its_status_changes_and_an_event_comes_once() {
    let bad = refused(waiting("b", "PolicyInvalid", 0), ProblemReason::NoPlacement);
    let mut policy = policy(json!({}));
    policy.status = Some(report(&policy, &[node("a")], now()).status);
    let later = now() + jiff::SignedDuration::from_mins(30);
    let second = report(&policy, std::slice::from_ref(&bad), later);
    let dated =
        |kind: &str| find(&second.status.conditions, kind).map(|it| it.last_transition_time.0);
    assert_eq!(dated("Valid"), Some(later));
    assert_eq!(dated("WindowOpen"), Some(now()));
    assert_eq!(second.events.len(), 1);
    policy.status = Some(second.status.clone());
    let third = report(&policy, &[bad], later + jiff::SignedDuration::from_mins(30));
    assert_eq!(third.events, []);
    assert_eq!(third.status, second.status);
    policy.status = Some(third.status);
    assert_eq!(report(&policy, &[node("a")], later).events, []);
}

#[test]
fn a_window_is_told_only_where_there_are_windows() {
    let at = |text: &str| {
        format!("2026-05-02T{text}:00Z")
            .parse::<Timestamp>()
            .unwrap()
    };
    let blackout = json!([{"from": "2026-05-02T18:00:00Z", "to": "2026-05-02T19:00:00Z"}]);
    let evening = json!([{"start": "17:00", "end": "20:00"}]);
    for (rules, window, next) in [
        (json!({"blackouts": blackout}), None, at("18:00")),
        (
            json!({"windows": evening}),
            Some((at("17:00"), at("20:00"))),
            at("17:00"),
        ),
        (
            json!({"windows": evening, "blackouts": blackout}),
            Some((at("17:00"), at("18:00"))),
            at("17:00"),
        ),
    ] {
        let report = report(&policy(rules.clone()), &[], now());
        let told = report.status.next_window.map(|it| (it.start.0, it.end.0));
        assert_eq!((told, report.next), (window, Some(next)), "{rules}");
    }
}
