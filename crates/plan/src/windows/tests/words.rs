//! What cannot be read, and what an operation waits for.

use crds::policy::Maintenance;
use jiff::SignedDuration;
use serde_json::json;

use super::super::{Schedule, need};
use super::{at, maintenance, schedule};
use crate::resolve::ProblemReason;

#[test]
fn what_cannot_be_read_is_a_problem_with_the_path_of_its_field() {
    for (window, reason, path) in [
        (
            json!({"start": "01:00", "end": "02:00", "timeZone": "Mars/Olympus"}),
            ProblemReason::UnknownTimeZone,
            "timeZone",
        ),
        (
            json!({"cron": "61 2 * * *", "duration": "1h"}),
            ProblemReason::BadCron,
            "cron",
        ),
        (
            json!({"cron": "0 0 2 * * *", "duration": "1h"}),
            ProblemReason::BadCron,
            "cron",
        ),
        (
            json!({"cron": "0 2 * * *", "duration": "0s"}),
            ProblemReason::BadDuration,
            "duration",
        ),
        (
            json!({"cron": "0 2 * * *"}),
            ProblemReason::BadDuration,
            "duration",
        ),
        (
            json!({"start": "25:00", "end": "02:00"}),
            ProblemReason::BadWindow,
            "start",
        ),
    ] {
        let good = json!({"start": "01:00", "end": "02:00"});
        let problems = Schedule::parse(&maintenance(json!([good, window]))).unwrap_err();
        let [problem] = problems.as_slice() else {
            panic!("{problems:?}")
        };
        assert_eq!(problem.reason, reason, "{problem}");
        assert_eq!(problem.path, format!("spec.maintenance.windows[1].{path}"));
    }
    let nothing = Schedule::parse(&maintenance(json!([{"timeZone": "UTC"}]))).unwrap_err();
    assert_eq!(nothing[0].path, "spec.maintenance.windows[0]");
}

#[test]
fn an_operation_begins_only_if_enough_is_left() {
    let short = |from: &str, need: i64| {
        let schedule = schedule(json!([{"start": "01:00", "end": "02:00"}]));
        let moment = at(&format!("2026-05-02T{from}Z"));
        let admitted = schedule
            .at(moment)
            .admits(moment, SignedDuration::from_mins(need));
        admitted.map_err(|late| (late.message, late.until.map(|it| it.to_string())))
    };
    assert_eq!(short("01:38:00", 22), Ok(()));
    let (message, until) = short("01:38:01", 22).unwrap_err();
    assert_eq!(
        message,
        "the next maintenance window: this one closes at 2026-05-02T02:00:00Z, and an operation may need 22 min"
    );
    assert_eq!(until.as_deref(), Some("2026-05-02T02:00:00Z"));
    for moment in ["01:00:00", "00:30:00", "02:00:00"] {
        let (message, _) = short(moment, 61).unwrap_err();
        assert!(
            message.starts_with("a longer maintenance window: that of 2026-05-0"),
            "{message}"
        );
        assert!(
            message.contains("lasts 1 h, and an operation may need 1 h 1 min"),
            "{message}"
        );
    }
    let never = schedule(json!([{"cron": "0 0 31 2 *", "duration": "1h"}]));
    let late = never
        .at(at("2026-05-02T00:00:00Z"))
        .admits(at("2026-05-02T00:00:00Z"), SignedDuration::ZERO);
    assert!(late.unwrap_err().message.contains("none will ever open"));
}

#[test]
fn the_need_is_what_is_set_or_the_most_that_an_operation_can_take() {
    for (rules, minutes) in [
        (json!({}), 22),
        (json!({"minRemaining": "5m"}), 5),
        (json!({"drain": {"timeout": "1h"}}), 72),
        (
            json!({"drain": {"waitForCompletion": {"podSelector": {}, "timeout": "4h"}}}),
            262,
        ),
    ] {
        let rules: Maintenance = serde_json::from_value(rules).unwrap();
        assert_eq!(
            need(&rules),
            SignedDuration::from_mins(minutes),
            "{rules:?}"
        );
    }
}
