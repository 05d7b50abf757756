//! The few that go first.

use crds::gpu_node::{OperationResult, Phase};
use jiff::SignedDuration;
use serde_json::json;

use super::super::{NodeSummary, report};
use super::{busy, node, now, policy, waiting};

fn minutes(number: i64) -> SignedDuration {
    SignedDuration::from_mins(number)
}

/// A node that has been waiting for an hour.
fn waits(name: &str, reason: &str) -> NodeSummary {
    NodeSummary {
        pending_since: Some(now() - minutes(60)),
        ..waiting(name, reason, 0)
    }
}

/// A node that has been brought in sync so many minutes ago.
fn proof(name: &str, ago: i64) -> NodeSummary {
    NodeSummary {
        history: vec![(now() - minutes(ago), OperationResult::Succeeded)],
        ..node(name)
    }
}

fn failed(name: &str, reason: &str) -> NodeSummary {
    NodeSummary {
        attempts: 1,
        history: vec![(now() - minutes(1), OperationResult::Failed)],
        ..waits(name, reason)
    }
}

/// The nodes that have a slot.
fn granted(report: &super::super::Report) -> Vec<&str> {
    let slots = report.status.slots.iter();
    slots.map(|slot| slot.node.as_str()).collect()
}

#[test]
fn the_others_follow_when_the_canaries_have_been_in_sync_for_long_enough() {
    let waiting = || ["x", "y", "z"].map(|name| waits(name, "AwaitingSlot"));
    let with = |mut first: Vec<NodeSummary>| {
        first.extend(waiting());
        first
    };
    let untouched = node("q");
    for (what, nodes, expected) in [
        ("at first only canaries go", with(vec![]), vec!["x", "y"]),
        (
            "one is done, so one more may go",
            with(vec![proof("a", 1)]),
            vec!["x"],
        ),
        (
            "both are done, and not for long enough",
            with(vec![proof("a", 10), proof("b", 9)]),
            vec![],
        ),
        (
            "both have been for long enough",
            with(vec![proof("a", 11), proof("b", 10)]),
            vec!["x", "y", "z"],
        ),
        (
            "a success from before this change proves nothing",
            with(vec![proof("a", 61), proof("b", 61)]),
            vec!["x", "y"],
        ),
        (
            "nor does a node that was in sync all the time",
            with(vec![untouched]),
            vec!["x", "y"],
        ),
        (
            "nobody follows in the place of one that failed",
            with(vec![failed("a", "BackingOff"), failed("b", "BackingOff")]),
            vec![],
        ),
        (
            "but it may try again",
            with(vec![failed("a", "AwaitingSlot"), failed("b", "BackingOff")]),
            vec!["a"],
        ),
        (
            "a canary is under way",
            with(vec![busy("a", Phase::Draining, 8), proof("b", 30)]),
            vec![],
        ),
    ] {
        let policy = policy(json!({"maxUnavailable": 9, "canary": {"nodes": 2, "soak": "10m"}}));
        assert_eq!(granted(&report(&policy, &nodes, now())), expected, "{what}");
    }
}

#[test]
fn the_end_of_the_soak_is_a_moment_to_look_again() {
    let policy = policy(json!({"maxUnavailable": 1, "canary": {"nodes": 1, "soak": "10m"}}));
    let all = [proof("a", 4), waits("x", "AwaitingSlot")];
    let first = report(&policy, &all, now());
    assert_eq!(first.next, Some(now() + minutes(6)));
    assert_eq!(granted(&first), Vec::<&str>::new());
    let mut again = policy;
    again.status = Some(first.status);
    let second = report(&again, &all, now() + minutes(6));
    assert_eq!(granted(&second), ["x"]);
    assert_eq!(second.next, None);
}
