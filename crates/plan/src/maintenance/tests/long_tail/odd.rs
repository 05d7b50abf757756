//! What may be odd.

use crds::GpuSharingPolicySpec;
use crds::gpu_node::AgentStage;
use crds::policy::Maintenance;
use proptest::prelude::*;
use serde_json::json;

use super::super::fixtures::{AFTER, BEFORE, OTHER};
use super::super::world::{Fault, Names, PodNames, Want, dotted};
use super::{Moment, Odd, OddPod, Whose};
use crate::drain::{Answer, Cause};
use crate::pod::Protection;
use crate::windows::Schedule;

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;
const YEAR: i64 = 366 * DAY;

pub(super) fn names() -> impl Strategy<Value = Names> {
    let nodes = vec![
        "n1".to_owned(),
        "7".to_owned(),
        "a.b-c.0".to_owned(),
        dotted("n"),
    ];
    let longest = format!("p{}0", "-".repeat(61));
    let policies = vec![
        "inference".to_owned(),
        "0".to_owned(),
        "a.b.c".to_owned(),
        longest,
    ];
    let namespaces = vec!["default".to_owned(), "1".to_owned(), "n".repeat(63)];
    let pods = vec![PodNames::Plain, PodNames::Digits, PodNames::Longest];
    let chosen = (
        prop::sample::select(nodes),
        prop::sample::select(namespaces),
        prop::sample::select(policies),
        prop::sample::select(pods),
    );
    chosen.prop_map(|(node, namespace, policy, pods)| Names {
        node,
        namespace,
        policy,
        pods,
    })
}

pub(super) fn policy() -> impl Strategy<Value = GpuSharingPolicySpec> {
    let jobs = json!({"podSelector": {"matchLabels": {"kind": "batch"}}, "timeout": "10m"});
    let chosen = (
        prop::sample::select(vec!["AffectedDevices", "GpuPods", "Node"]),
        prop::sample::select(vec!["Release", "KeepCordoned", "Force"]),
        prop::sample::select(vec!["30s", "10m", "48h"]),
        prop::option::of(prop::sample::select(vec![0, 1, 3_000_000_000_i64])),
        prop::option::of(Just(jobs)),
        prop::sample::select(vec!["Abort", "Finish"]),
        prop::sample::select(vec!["Proceed", "Skip"]),
    );
    chosen.prop_map(|(scope, then, timeout, grace, jobs, close, foreign)| {
        let spec = json!({
            "strategy": {"type": "Exclusive"},
            "maintenance": {
                "minRemaining": "1s",
                "onWindowClose": close,
                "onForeignCordon": foreign,
                "drain": {
                    "scope": scope,
                    "onTimeout": then,
                    "timeout": timeout,
                    "gracePeriodSeconds": grace,
                    "waitForCompletion": jobs,
                },
            },
        });
        serde_json::from_value(spec).unwrap()
    })
}

/// What somebody else may say: nothing, much, in many lines, in other alphabets.
fn text() -> impl Strategy<Value = String> {
    let texts = [
        String::new(),
        " ".to_owned(),
        "\n\r\n\t".to_owned(),
        "cannot create".to_owned(),
        "first line\n  second\tline\r\nthird\n".to_owned(),
        "a \"quoted\" {brace} % \u{0}\u{7f}".to_owned(),
        "ä".repeat(10_000),
        "x".repeat(33_000),
        "many words ".repeat(2_000),
    ];
    prop::sample::select(texts.to_vec())
}

/// An answer of each code, with whatever body.
fn answer() -> impl Strategy<Value = Answer> {
    let code = prop_oneof![
        6 => prop::sample::select(vec![201, 429, 429, 403, 404, 409, 500]),
        1 => Just(0),
        3 => 200..600_u16,
    ];
    let status_code = prop_oneof![Just(0), Just(429), Just(u16::MAX), 200..600_u16];
    let says = prop::sample::select(vec![
        "poddisruptionbudget.policy \"b\" is forbidden: pdb disruptions allowed is negative",
        "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
        "admission webhook \"w.example.com\" denied the request: no",
    ]);
    let message = prop_oneof![says.prop_map(str::to_owned), text()];
    let reason = prop::sample::select(vec!["DisruptionBudget", "NamespaceTerminating", "", "Odd"]);
    let cause = (reason, text()).prop_map(|(reason, message)| Cause {
        reason: reason.to_owned(),
        message,
    });
    let after = prop::sample::select(vec![0, 1, 10, 86_400, u32::MAX]);
    let causes = prop::collection::vec(cause, 0..3);
    let body = (any::<bool>(), status_code, message, causes, after);
    (code, body).prop_map(|(code, body)| Answer {
        code,
        failure: body.0,
        status_code: body.1,
        message: body.2,
        causes: body.3,
        retry_after_seconds: body.4,
    })
}

/// Windows in zones with and without daylight saving, and none that ever opens.
fn schedule() -> impl Strategy<Value = Option<Schedule>> {
    let windows = [
        json!({"windows": [{"start": "01:00", "end": "05:00", "timeZone": "Europe/Berlin"}]}),
        json!({"windows": [{"cron": "30 2 * * *", "duration": "2h", "timeZone": "America/New_York"}]}),
        json!({"windows": [{"start": "01:45", "end": "02:15", "timeZone": "Australia/Lord_Howe"}]}),
        json!({"windows": [{"cron": "0 0 29 2 *", "duration": "24h"}]}),
        json!({"blackouts": [{"from": "1990-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}]}),
    ];
    let schedules = windows.map(|text| {
        let maintenance: Maintenance = serde_json::from_value(text).unwrap();
        Schedule::parse(&maintenance).unwrap()
    });
    prop::option::weighted(0.6, prop::sample::select(schedules.to_vec()))
}

/// When clocks are changed in the zones of the windows, and the ends of what a clock may show.
fn moment() -> impl Strategy<Value = Moment> {
    let changes = [
        "2026-03-29T01:00:00Z",
        "2026-10-25T01:00:00Z",
        "2026-03-08T07:00:00Z",
        "2026-11-01T06:00:00Z",
        "2026-04-04T15:00:00Z",
        "1970-01-01T00:00:00Z",
        "2038-01-19T03:14:08Z",
        "2400-02-29T00:00:00Z",
    ];
    let changes = changes.map(|text| Moment::At(text.parse().unwrap()));
    prop_oneof![
        3 => Just(Moment::Right),
        2 => Just(Moment::Deadline),
        1 => Just(Moment::Start),
        1 => Just(Moment::PhaseStart),
        1 => Just(Moment::NextAttempt),
        2 => Just(Moment::WindowEdge),
        2 => prop::sample::select(changes.to_vec()),
    ]
}

fn seconds() -> impl Strategy<Value = i64> {
    let lengths = vec![0, 1, 6, 40, 5 * MINUTE, 60 * MINUTE, DAY, YEAR, 30 * YEAR];
    (prop::sample::select(lengths), any::<bool>())
        .prop_map(|(length, back)| if back { -length } else { length })
}

fn lie() -> impl Strategy<Value = Odd> {
    let whose = prop_oneof![
        3 => Just(Whose::Asked),
        2 => prop::sample::select(vec![-1, 0, 1, 1_000_000]).prop_map(Whose::After),
        1 => prop::sample::select(vec![0, -7, i64::MIN, i64::MAX]).prop_map(Whose::Exactly),
    ];
    let stage = prop::sample::select(vec![
        AgentStage::Ready,
        AgentStage::Refused,
        AgentStage::Destroying,
        AgentStage::Creating,
        AgentStage::Done,
        AgentStage::RolledBack,
        AgentStage::Failed,
    ]);
    let lie = (whose, stage, prop::option::of(text()));
    lie.prop_map(|(whose, stage, error)| Odd::Lie(whose, stage, error))
}

fn pod() -> impl Strategy<Value = OddPod> {
    let finalizers = vec![
        Vec::new(),
        vec!["example.com/a".to_owned()],
        vec![format!("{}/{}", dotted("f"), "f".repeat(63)); 200],
    ];
    prop_oneof![
        3 => text().prop_map(|text| OddPod::Protected(Protection::Unreadable(text))),
        1 => Just(OddPod::Protected(Protection::Always)),
        1 => Just(OddPod::Protected(Protection::parse("876000h"))),
        3 => prop::sample::select(finalizers).prop_map(OddPod::Finalizers),
        2 => prop::sample::select(vec![0, -1, 1, i64::MAX]).prop_map(OddPod::Grace),
        1 => Just(OddPod::Nobodys),
        1 => Just(OddPod::OfDaemonSet),
        1 => Just(OddPod::KeepsData),
        1 => Just(OddPod::Finished),
        1 => Just(OddPod::Batch),
    ]
}

pub(super) fn odd() -> impl Strategy<Value = Odd> {
    let rarely = || prop::bool::weighted(0.2);
    let wants = prop_oneof![
        4 => Just(Want::Layout(AFTER)),
        1 => Just(Want::Layout(BEFORE)),
        1 => Just(Want::Layout(OTHER)),
        1 => Just(Want::Nothing),
        1 => Just(Want::Impossible),
    ];
    let faults = vec![Fault::Refuse, Fault::Create, Fault::CreateAndRollBack];
    prop_oneof![
        40 => prop::sample::select(vec![1, 1, 1, 3, 10, 60_u8]).prop_map(Odd::Rounds),
        3 => prop::sample::select(vec![1, 40, 700, DAY, YEAR]).prop_map(Odd::Passes),
        10 => (moment(), seconds()).prop_map(|(moment, seconds)| Odd::Clock(moment, seconds)),
        3 => Just(Odd::OperatorReads),
        3 => Just(Odd::OperatorActs),
        1 => Just(Odd::OperatorDies),
        1 => Just(Odd::DeposedReads),
        1 => Just(Odd::DeposedActs),
        5 => (prop::option::weighted(0.7, answer()), rarely())
            .prop_map(|(answer, is_wrong)| Odd::Answer(answer, is_wrong)),
        4 => lie(),
        3 => text().prop_map(Odd::AgentWords),
        2 => prop::option::weighted(0.3, text()).prop_map(Odd::AgentTrouble),
        2 => prop::bool::weighted(0.8).prop_map(Odd::AgentIsUp),
        3 => prop::sample::select(faults).prop_map(Odd::AgentFails),
        4 => (0..300_usize, pod()).prop_map(|(place, odd)| Odd::Pod(place, odd)),
        1 => prop::sample::select(vec![1, 2, 110_usize]).prop_map(Odd::Crowd),
        3 => Just(Odd::BindsLate),
        2 => rarely().prop_map(Odd::PodsNeverEnd),
        3 => schedule().prop_map(Odd::Schedule),
        1 => text().prop_map(Odd::Retry),
        1 => prop::sample::select(vec![0, 1, i64::MIN, i64::MAX]).prop_map(Odd::Mark),
        2 => wants.prop_map(Odd::Wants),
    ]
}
