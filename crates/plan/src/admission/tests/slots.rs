use crds::gpu_node::Phase;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::super::{NodeSummary, report};
use super::{busy, node, now, policy, slot, waiting, with_slots};

fn granted(maintenance: Value, nodes: &[NodeSummary]) -> Vec<String> {
    let report = report(&policy(maintenance), nodes, now());
    report
        .status
        .slots
        .into_iter()
        .map(|slot| slot.node)
        .collect()
}

#[test]
fn the_budget_counts_each_node_that_is_out_of_service_once() {
    let want = |name: &str| waiting(name, "AwaitingSlot", 0);
    let cordoned = |mut node: NodeSummary| {
        node.unavailable = true;
        node
    };
    for (name, limit, nodes, expected) in [
        (
            "one at a time",
            json!(1),
            vec![want("a"), want("b")],
            vec!["a"],
        ),
        (
            "two",
            json!(2),
            vec![want("a"), want("b"), want("c")],
            vec!["a", "b"],
        ),
        ("none", json!(0), vec![want("a")], vec![]),
        (
            "half of four",
            json!("50%"),
            vec![want("a"), want("b"), want("c"), node("d")],
            vec!["a", "b"],
        ),
        (
            "a percentage rounds down",
            json!("49%"),
            vec![want("a"), want("b"), want("c"), node("d")],
            vec!["a"],
        ),
        (
            "but to one at least",
            json!("1%"),
            vec![want("a"), want("b")],
            vec!["a"],
        ),
        ("unless it is zero", json!("0%"), vec![want("a")], vec![]),
        (
            "a node cordoned by others counts",
            json!(1),
            vec![want("a"), cordoned(node("b"))],
            vec![],
        ),
        (
            "but not twice",
            json!(1),
            vec![cordoned(want("a")), want("b")],
            vec!["a"],
        ),
        (
            "a node under way counts",
            json!(1),
            vec![want("a"), busy("b", Phase::Draining, 9)],
            vec![],
        ),
        (
            "so does a quarantined one",
            json!(1),
            vec![want("a"), busy("b", Phase::Quarantined, 9)],
            vec![],
        ),
    ] {
        assert_eq!(
            granted(json!({"maxUnavailable": limit}), &nodes),
            expected,
            "{name}"
        );
    }
}

#[test]
fn only_nodes_that_wait_for_nothing_else_are_admitted() {
    let lost = NodeSummary {
        won: false,
        ..waiting("lost", "AwaitingSlot", 0)
    };
    for (nodes, expected) in [
        (vec![waiting("a", "AwaitingSlot", 0)], vec!["a"]),
        (vec![waiting("a", "WindowClosed", 0)], vec!["a"]),
        (vec![waiting("a", "PreflightBlocked", 0)], vec![]),
        (vec![waiting("a", "BackingOff", 0)], vec![]),
        (vec![node("a")], vec![]),
        (vec![lost], vec![]),
    ] {
        assert_eq!(granted(json!({}), &nodes), expected, "{nodes:?}");
    }
}

#[test]
fn the_fewest_attempts_go_first_then_the_longest_wait_then_the_name() {
    let tried = |name: &str, attempts: i32, since: i64| NodeSummary {
        attempts,
        ..waiting(name, "AwaitingSlot", since)
    };
    for (nodes, expected) in [
        (vec![tried("a", 1, 0), tried("b", 0, 9)], "b"),
        (vec![tried("a", 0, 9), tried("b", 0, 3)], "b"),
        (vec![tried("b", 0, 3), tried("a", 0, 3)], "a"),
    ] {
        assert_eq!(granted(json!({}), &nodes), [expected], "{nodes:?}");
    }
}

#[test]
fn nothing_is_granted_while_the_policy_is_closed() {
    let nodes = [waiting("a", "AwaitingSlot", 0)];
    let mut policies: Vec<_> = [
        json!({"windows": [{"start": "02:00", "end": "03:00"}]}),
        // Open, with less left than an operation can need.
        json!({"windows": [{"start": "00:00", "end": "01:21"}]}),
        json!({"blackouts": [{"from": "2026-05-01T00:00:00Z", "to": "2026-05-03T00:00:00Z"}]}),
        json!({"windows": [{"start": "00:00", "end": "03:00", "timeZone": "Mars/Olympus"}]}),
    ]
    .into_iter()
    .map(policy)
    .collect();
    for change in [
        |it: &mut crds::GpuSharingPolicySpec| it.paused = true,
        |it: &mut crds::GpuSharingPolicySpec| it.dry_run = true,
    ] {
        let mut policy = policy(json!({}));
        change(&mut policy.spec);
        policies.push(policy);
    }
    for policy in policies {
        assert_eq!(
            report(&policy, &nodes, now()).status.slots,
            [],
            "{policy:?}"
        );
    }
    let open = json!({"windows": [{"start": "00:00", "end": "01:22"}]});
    assert_eq!(granted(open, &nodes), ["a"]);
}

#[test]
fn one_value_of_the_topology_label_at_a_time() {
    let zoned = |node: NodeSummary, zone: &str| NodeSummary {
        topology: Some(zone.to_owned()),
        ..node
    };
    let nodes = [
        zoned(waiting("a", "AwaitingSlot", 1), "x"),
        zoned(waiting("b", "AwaitingSlot", 2), "y"),
        zoned(waiting("c", "AwaitingSlot", 3), "x"),
    ];
    let by_zone = json!({"maxUnavailable": 3, "topologyKey": "zone"});
    assert_eq!(granted(by_zone.clone(), &nodes), ["a", "c"]);
    let under_way = zoned(busy("d", Phase::Draining, 9), "y");
    let nodes = [&nodes[..], &[under_way]].concat();
    assert_eq!(granted(by_zone, &nodes), ["b"]);
}

#[test]
fn a_slot_has_an_id_of_its_own_and_says_since_when() {
    let report = report(
        &policy(json!({})),
        &[waiting("a", "AwaitingSlot", 0)],
        now(),
    );
    assert_eq!(report.status.slots, [slot("a", now().as_second())]);
    let ahead = NodeSummary {
        operation_id: now().as_second() + 5,
        ..waiting("a", "AwaitingSlot", 0)
    };
    let report = super::super::report(&policy(json!({})), &[ahead], now());
    assert_eq!(report.status.slots[0].operation, now().as_second() + 6);
}

#[test]
fn a_slot_lasts_until_its_operation_is_over() {
    let other = NodeSummary {
        uid: "another".to_owned(),
        ..node("a")
    };
    let lost = |node: NodeSummary| NodeSummary { won: false, ..node };
    let done = |phase: Phase| NodeSummary {
        phase,
        operation_id: 8,
        ..node("a")
    };
    for (name, nodes, lasts) in [
        (
            "not taken up yet",
            vec![waiting("a", "AwaitingSlot", 0)],
            true,
        ),
        ("taken up", vec![busy("a", Phase::Preparing, 8)], true),
        ("quarantined", vec![busy("a", Phase::Quarantined, 8)], true),
        ("uncordoning", vec![busy("a", Phase::Uncordoning, 8)], true),
        ("in sync again", vec![done(Phase::InSync)], false),
        ("pending again", vec![done(Phase::Pending)], false),
        ("not managed any more", vec![done(Phase::Unmanaged)], false),
        ("the node is gone", vec![], false),
        ("a new node of the name", vec![other], false),
        (
            "another policy's node, not begun",
            vec![lost(waiting("a", "AwaitingSlot", 0))],
            false,
        ),
        (
            "another policy's node, under way",
            vec![lost(busy("a", Phase::Draining, 8))],
            true,
        ),
    ] {
        let mut policy = with_slots(policy(json!({})), vec![slot("a", 8)]);
        // Nothing new, so that only the old slot counts.
        policy.spec.paused = true;
        let report = report(&policy, &nodes, now());
        assert_eq!(!report.status.slots.is_empty(), lasts, "{name}");
    }
}

#[test]
fn the_next_look_is_when_the_window_changes() {
    let nodes = [waiting("a", "WindowClosed", 0)];
    let look = |rules: Value| {
        report(&policy(rules), &nodes, now())
            .next
            .map(|next| next.duration_since(now()))
    };
    assert_eq!(look(json!({})), None);
    let hours = |hours| Some(SignedDuration::from_hours(hours));
    assert_eq!(
        look(json!({"windows": [{"start": "02:00", "end": "05:00"}]})),
        hours(1)
    );
    assert_eq!(
        look(json!({"windows": [{"start": "01:00", "end": "05:00"}]})),
        hours(4)
    );
}

#[test]
fn an_operation_after_the_last_that_can_be_is_the_last_again() {
    let mut last = waiting("a", "AwaitingSlot", 0);
    last.operation_id = i64::MAX;
    let report = report(&policy(json!({})), &[last], now());
    assert_eq!(report.status.slots[0].operation, i64::MAX);
}
