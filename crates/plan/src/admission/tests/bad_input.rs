//! What people get wrong, and what they are told: the field, what comes of it, and what to write instead. What the API
//! server refuses by itself is in `tests/e2e/tests/api/cases`: there also 150 % and a window whose text is no time of day.

use crds::GpuSharingPolicy;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::super::{NodeSummary, report};
use super::{node, now, policy, waiting};
use crate::conditions::find;
use crate::reason::Reason;

/// The condition as `status/reason`, and its message.
fn told(policy: &GpuSharingPolicy, nodes: &[NodeSummary], kind: &str) -> (String, String) {
    let status = report(policy, nodes, now()).status;
    let it = find(&status.conditions, kind).unwrap();
    (format!("{}/{}", it.status, it.reason), it.message.clone())
}

fn one(window: Value) -> Value {
    json!({"windows": [{"start": "01:00", "end": "05:00"}, window]})
}

#[test]
fn what_cannot_be_followed_is_not_valid_and_says_where_and_what_to_write() {
    for (name, rules, reason, path, instead) in [
        (
            "a zone that does not exist",
            one(json!({"start": "01:00", "end": "05:00", "timeZone": "Europe/Atlantis"})),
            Reason::UnknownTimeZone,
            "spec.maintenance.windows[1].timeZone: ",
            "write an IANA name such as Europe/Berlin or UTC",
        ),
        (
            "cron with six fields",
            one(json!({"cron": "0 0 2 * * 6", "duration": "2h"})),
            Reason::BadCron,
            "spec.maintenance.windows[1].cron: ",
            "write five fields: minute, hour, day of month, month, day of week",
        ),
        (
            "cron of nonsense",
            one(json!({"cron": "every night at two please", "duration": "2h"})),
            Reason::BadCron,
            "spec.maintenance.windows[1].cron: ",
            "write five fields",
        ),
        (
            "an end without a start",
            one(json!({"end": "05:00"})),
            Reason::BadWindow,
            "spec.maintenance.windows[1]: ",
            "needs start (with end or duration) or cron (with duration)",
        ),
        (
            "a start without an end",
            one(json!({"start": "05:00"})),
            Reason::BadDuration,
            "spec.maintenance.windows[1].duration: ",
            "such as 2h or 90m",
        ),
        (
            "a duration of 0",
            one(json!({"start": "01:00", "duration": "0s"})),
            Reason::BadDuration,
            "spec.maintenance.windows[1].duration: ",
            "a length of time longer than zero is needed, such as 2h or 90m",
        ),
        (
            "an hour that no day has",
            one(json!({"start": "25:00", "duration": "1h"})),
            Reason::BadWindow,
            "spec.maintenance.windows[1].start: ",
            "write HH:MM, such as 02:00",
        ),
        (
            "an end that no day has",
            one(json!({"start": "01:00", "end": "25:00"})),
            Reason::BadWindow,
            "spec.maintenance.windows[1].end: ",
            "write HH:MM, such as 02:00",
        ),
        (
            "a need of 0",
            json!({"minRemaining": "0s"}),
            Reason::BadDuration,
            "spec.maintenance.minRemaining: ",
            "such as 10m or 1h30m",
        ),
        (
            "a selector of pods without values",
            json!({"drain": {"podSelector": {"matchExpressions": [{"key": "app", "operator": "In"}]}}}),
            Reason::BadSelector,
            "spec.maintenance.drain.podSelector",
            "values",
        ),
    ] {
        let bad = policy(rules);
        let (is, message) = told(&bad, &[waiting("a", "AwaitingSlot", 0)], "Valid");
        assert_eq!(
            is,
            format!("False/{}", reason.as_str()),
            "{name}: {message}"
        );
        assert!(message.starts_with(path), "{name}: {message}");
        assert!(message.contains(instead), "{name}: {message}");
        let (is, _) = told(&bad, &[], "WindowOpen");
        assert_ne!(is, "True/Open", "{name}: nothing opens");
    }
}

#[test]
fn what_is_allowed_and_hardly_meant_is_valid_with_a_warning() {
    for (name, rules, path, instead) in [
        (
            "a window shorter than minRemaining",
            json!({"windows": [{"start": "02:00", "end": "02:30"}], "minRemaining": "45m"}),
            "spec.maintenance.windows[0]: it lasts 30 min, and an operation may need 45 min",
            "lengthen it, or set spec.maintenance.minRemaining",
        ),
        (
            "a window shorter than what is needed by default",
            json!({"windows": [{"cron": "0 3 * * 6", "duration": "20m"}]}),
            "spec.maintenance.windows[0]: it lasts 20 min, and an operation may need 22 min",
            "drain.timeout lower",
        ),
        (
            "a day that does not exist, beside one that does",
            one(json!({"cron": "0 2 30 2 *", "duration": "2h"})),
            "spec.maintenance.windows[1]: it never opens",
            "write a day that exists",
        ),
        (
            "no node at a time",
            json!({"maxUnavailable": 0}),
            "spec.maintenance.maxUnavailable: it is 0, so the policy is frozen",
            "write 1 or more",
        ),
        (
            "no node at a time, in percent",
            json!({"maxUnavailable": "0%"}),
            "spec.maintenance.maxUnavailable: it is 0, so the policy is frozen",
            "a percentage such as 10%",
        ),
    ] {
        let (is, message) = told(&policy(rules), &[node("a")], "Valid");
        assert_eq!(is, "True/ValidWithWarnings", "{name}: {message}");
        let (_, warning) = message.split_once("followed, but ").unwrap();
        assert!(warning.starts_with(path), "{name}: {message}");
        assert!(warning.contains(instead), "{name}: {message}");
    }
}

#[test]
fn what_is_only_unusual_gets_no_warning() {
    for rules in [
        json!({}),
        json!({"windows": [{"start": "02:00", "duration": "22m"}]}),
        // Windows that touch are one.
        json!({"windows": [{"start": "02:00", "end": "02:20"}, {"start": "02:20", "end": "02:40"}]}),
        // A blackout cuts an instance short, not its window.
        json!({
            "windows": [{"start": "02:00", "end": "05:00"}],
            "blackouts": [{"from": "2026-05-02T02:10:00Z", "to": "2026-05-02T06:00:00Z"}],
        }),
        // There is a 29th of February, later.
        json!({"windows": [{"cron": "0 2 29 2 *", "duration": "2h"}]}),
        json!({"maxUnavailable": "1%"}),
    ] {
        let (is, message) = told(&policy(rules.clone()), &[node("a")], "Valid");
        assert_eq!(is, "True/Valid", "{rules}: {message}");
    }
}

#[test]
fn windows_of_which_none_ever_opens_are_told_by_every_condition_about_windows() {
    let rules = json!({"windows": [{"cron": "0 2 30 2 *", "duration": "2h"}]});
    let never = policy(rules);
    let (is, message) = told(&never, &[node("a")], "WindowOpen");
    assert_eq!(is, "False/NeverOpens");
    assert!(
        message.contains("change spec.maintenance.windows"),
        "{message}"
    );
    let (is, message) = told(&never, &[node("a")], "Valid");
    assert_eq!(is, "True/ValidWithWarnings");
    assert_eq!(message.matches("spec.maintenance.").count(), 1, "{message}");
}

#[test]
fn a_selector_that_matches_nothing_is_named() {
    let (is, message) = told(&policy(json!({})), &[], "Ready");
    assert_eq!(is, "True/NoNodes");
    for part in ["spec.nodeSelector", "kubectl get nodes --show-labels"] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn a_budget_for_a_fleet_of_one_admits_it_unless_it_is_0() {
    for (rules, slots) in [
        (json!({"maxUnavailable": "1%"}), 1),
        (json!({"maxUnavailable": "50%"}), 1),
        (json!({"maxUnavailable": "100%"}), 1),
        (json!({"maxUnavailable": 7}), 1),
        (json!({"maxUnavailable": 0}), 0),
        (json!({"maxUnavailable": "0%"}), 0),
        (json!({"topologyKey": "topology.kubernetes.io/zone"}), 1),
        (json!({"canary": {"nodes": 3, "soak": "1h"}}), 1),
    ] {
        for unavailable in [false, true] {
            let only = NodeSummary {
                unavailable,
                ..waiting("a", "AwaitingSlot", 0)
            };
            let granted = report(&policy(rules.clone()), &[only], now()).status.slots;
            assert_eq!(granted.len(), slots, "{rules}, unavailable: {unavailable}");
        }
    }
}

#[test]
fn a_warning_does_not_move_with_the_time() {
    let rules = json!({"windows": [{"cron": "0 3 * * 6", "duration": "20m"}], "maxUnavailable": 0});
    let mut policy = policy(rules);
    policy.status = Some(report(&policy, &[node("a")], now()).status);
    let later = now() + SignedDuration::from_mins(30);
    assert_eq!(
        Some(report(&policy, &[node("a")], later).status),
        policy.status
    );
}
