use crds::policy::{Blackout, Day, Maintenance, MaintenanceWindow};
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::resolve::ProblemReason;

fn schedule(windows: Value) -> Schedule {
    Schedule::parse(&maintenance(windows)).unwrap()
}

fn maintenance(windows: Value) -> Maintenance {
    serde_json::from_value(json!({"windows": windows})).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn opening(state: &WindowState) -> Option<(Timestamp, Timestamp)> {
    match state {
        WindowState::Always => None,
        WindowState::Open { start, end } => Some((*start, *end)),
        WindowState::Closed { next, .. } => *next,
    }
}

fn berlin(days: &str) -> Value {
    let days: Vec<_> = days.split(' ').collect();
    json!([{"days": days, "start": "22:00", "end": "06:00", "timeZone": "Europe/Berlin"}])
}

fn zone(start: &str, length: &str, zone: &str) -> Value {
    json!([{"start": start, "duration": length, "timeZone": zone}])
}

fn cron(cron: &str, length: &str, zone: &str) -> Value {
    json!([{"cron": cron, "duration": length, "timeZone": zone}])
}

/// Whether a moment is inside or outside of windows.
fn agree<const N: usize>(rows: [(&str, Value, &str, bool); N]) {
    for (name, windows, moment, open) in rows {
        let state = schedule(windows).at(at(moment));
        assert_eq!(state.is_open(), open, "{name}: {state:?}");
    }
}

#[test]
fn a_night_belongs_to_the_day_on_which_it_begins() {
    agree([
        (
            "a night belongs to the day on which it begins",
            berlin("Fri"),
            "2026-06-06T05:59:00+02:00",
            true,
        ),
        (
            "and its end is outside",
            berlin("Fri"),
            "2026-06-06T06:00:00+02:00",
            false,
        ),
        (
            "an unlisted Sunday night is shut on Monday",
            berlin("Mon Fri"),
            "2026-06-08T00:30:00+02:00",
            false,
        ),
        (
            "a night across the spring gap",
            berlin("Sat"),
            "2026-03-29T05:59:00+02:00",
            true,
        ),
        (
            "ends by the wall clock",
            berlin("Sat"),
            "2026-03-29T06:00:00+02:00",
            false,
        ),
    ]);
}

#[test]
fn local_times_follow_the_clocks_of_their_zone() {
    agree([
        (
            "a start in the gap moves forward",
            zone("02:30", "1h", "America/New_York"),
            "2026-03-08T03:29:59-04:00",
            false,
        ),
        (
            "by as much as the clock",
            zone("02:30", "1h", "America/New_York"),
            "2026-03-08T03:30:00-04:00",
            true,
        ),
        (
            "a start in the fold is the first",
            zone("01:30", "1h", "America/New_York"),
            "2026-11-01T01:30:00-04:00",
            true,
        ),
        (
            "and only the first",
            zone("01:30", "1h", "America/New_York"),
            "2026-11-01T01:30:00-05:00",
            false,
        ),
        (
            "a fold of half an hour",
            zone("01:45", "15m", "Australia/Lord_Howe"),
            "2026-04-05T01:45:00+11:00",
            true,
        ),
        (
            "a zone of half hours",
            zone("00:00", "1h", "Asia/Kolkata"),
            "2026-01-01T00:00:00+05:30",
            true,
        ),
        (
            "a zone that has skipped a day",
            zone("10:00", "1h", "Pacific/Apia"),
            "2011-12-31T10:30:00+14:00",
            true,
        ),
        (
            "the day that was skipped",
            zone("10:00", "1h", "Pacific/Apia"),
            "2011-12-30T20:30:00Z",
            true,
        ),
    ]);
}

#[test]
fn a_start_in_a_gap_at_midnight_still_belongs_to_its_day() {
    // Saturday 23:30 does not exist there: at 23:00 it was Sunday.
    let night =
        || json!([{"days": ["Sat"], "start": "23:30", "end": "02:00", "timeZone": "America/Nuuk"}]);
    agree([
        ("shifted", night(), "2025-03-30T00:29:59-01:00", false),
        ("into Sunday", night(), "2025-03-30T00:30:00-01:00", true),
        (
            "which it ends on",
            night(),
            "2025-03-30T01:59:59-01:00",
            true,
        ),
        (
            "by the wall clock",
            night(),
            "2025-03-30T02:00:00-01:00",
            false,
        ),
    ]);
}

#[test]
fn a_window_that_a_gap_swallows_does_not_open() {
    let swallowed = json!([{"start": "02:30", "end": "03:00", "timeZone": "America/New_York"}]);
    let state = schedule(swallowed).at(at("2026-03-08T03:29:00-04:00"));
    let next = opening(&state).map(|(start, _)| start);
    assert_eq!(next, Some(at("2026-03-09T02:30:00-04:00")));
}

#[test]
fn a_cron_hit_is_inside_and_its_end_outside() {
    agree([
        (
            "a leap day",
            cron("0 2 29 2 *", "1h", "UTC"),
            "2028-02-29T02:30:00Z",
            true,
        ),
        (
            "a cron hit",
            cron("0 2 * * 3", "2h", "UTC"),
            "2026-11-25T02:00:00Z",
            true,
        ),
        (
            "and its end",
            cron("0 2 * * 3", "2h", "UTC"),
            "2026-11-25T04:00:00Z",
            false,
        ),
        (
            "the same time of day is 24 hours",
            json!([{"days": ["Sat"], "start": "05:00", "end": "05:00"}]),
            "2026-11-22T04:59:00Z",
            true,
        ),
        (
            "and not more",
            json!([{"days": ["Sat"], "start": "05:00", "end": "05:00"}]),
            "2026-11-22T05:00:00Z",
            false,
        ),
        (
            "windows that overlap themselves",
            cron("0 2 * * *", "48h", "UTC"),
            "2026-11-22T01:00:00Z",
            true,
        ),
    ]);
}

#[test]
fn openings_that_touch_or_overlap_are_one() {
    let both = schedule(json!([
        {"start": "01:00", "end": "03:00"},
        {"start": "03:00", "duration": "1h"},
        {"cron": "30 3 * * *", "duration": "2h"},
    ]));
    let whole = Some((at("2026-05-02T01:00:00Z"), at("2026-05-02T05:30:00Z")));
    for moment in [
        "2026-05-02T00:00:00Z",
        "2026-05-02T01:00:00Z",
        "2026-05-02T03:00:00Z",
        "2026-05-02T05:29:59Z",
    ] {
        assert_eq!(opening(&both.at(at(moment))), whole, "{moment}");
    }
    let without_gap =
        schedule(json!([{"start": "00:00", "end": "12:00"}, {"start": "12:00", "end": "00:00"}]));
    assert_eq!(
        without_gap.at(at("2026-05-02T12:00:00Z")),
        WindowState::Always
    );
}

#[test]
fn an_opening_tells_the_same_start_for_as_long_as_it_lasts() {
    let blackout = ("2026-05-20T00:00:00Z", "2026-05-21T00:00:00Z");
    for (windows, expected) in [
        // Whatever has no beginning has one that does not move.
        (json!([]), "1970-01-01T00:00:00Z"),
        (
            json!([{"start": "00:00", "end": "00:00"}]),
            "1970-01-01T00:00:00Z",
        ),
        // One instance that is longer than the horizon.
        (
            json!([{"cron": "0 0 1 4 *", "duration": "2400h"}]),
            "2026-04-01T00:00:00Z",
        ),
    ] {
        let schedule = with_blackout(windows, blackout.0, blackout.1);
        for moment in ["2026-05-06T00:00:00Z", "2026-05-19T12:34:56Z"] {
            let expected = (at(expected), at(blackout.0));
            assert_eq!(
                opening(&schedule.at(at(moment))),
                Some(expected),
                "{moment}"
            );
        }
    }
    let long = schedule(json!([{"cron": "0 0 1 4 *", "duration": "2400h"}]));
    let whole = (at("2026-04-01T00:00:00Z"), at("2026-07-10T00:00:00Z"));
    for moment in [
        "2026-03-31T00:00:00Z",
        "2026-04-01T00:00:00Z",
        "2026-07-09T00:00:00Z",
    ] {
        assert_eq!(opening(&long.at(at(moment))), Some(whole), "{moment}");
    }
}

fn with_blackout(windows: Value, from: &str, to: &str) -> Schedule {
    let mut rules = maintenance(windows);
    rules.blackouts.push(Blackout {
        from: Time(at(from)),
        to: Time(at(to)),
        reason: Some("freeze".to_owned()),
    });
    Schedule::parse(&rules).unwrap()
}

#[test]
fn blackouts_win_over_windows_and_over_having_none() {
    let (from, to) = ("2026-05-02T02:00:00Z", "2026-05-02T02:30:00Z");
    for windows in [json!([]), json!([{"start": "01:00", "end": "03:00"}])] {
        let schedule = with_blackout(windows, from, to);
        for (moment, open) in [
            ("01:59:59", true),
            ("02:00:00", false),
            ("02:29:59", false),
            ("02:30:00", true),
        ] {
            let state = schedule.at(at(&format!("2026-05-02T{moment}Z")));
            assert_eq!(state.is_open(), open, "{moment} {state:?}");
        }
    }
    let cut = with_blackout(json!([{"start": "01:00", "end": "03:00"}]), from, to);
    assert_eq!(
        opening(&cut.at(at("2026-05-02T01:30:00Z"))),
        Some((at("2026-05-02T01:00:00Z"), at(from)))
    );
    assert_eq!(
        opening(&cut.at(at("2026-05-02T02:45:00Z"))),
        Some((at(to), at("2026-05-02T03:00:00Z")))
    );
    let shut = cut.at(at("2026-05-02T02:10:00Z"));
    assert_eq!(opening(&shut), Some((at(to), at("2026-05-02T03:00:00Z"))));
    let said = shut
        .admits(at("2026-05-02T02:10:00Z"), SignedDuration::from_mins(10))
        .unwrap_err();
    assert_eq!(
        said.message,
        "the maintenance window that opens at 2026-05-02T02:30:00Z: a blackout (freeze) lasts until 2026-05-02T02:30:00Z"
    );
    let swallowed = with_blackout(
        json!([{"start": "01:00", "end": "03:00"}]),
        "2026-05-01T00:00:00Z",
        "2026-05-09T00:00:00Z",
    );
    assert_eq!(
        opening(&swallowed.at(at("2026-05-02T00:00:00Z"))).map(|(start, _)| start),
        Some(at("2026-05-09T01:00:00Z"))
    );
}

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

const ZONES: [&str; 8] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "Africa/Casablanca",
];
const DAYS: [Day; 7] = [
    Day::Mon,
    Day::Tue,
    Day::Wed,
    Day::Thu,
    Day::Fri,
    Day::Sat,
    Day::Sun,
];

fn day() -> impl Strategy<Value = Vec<Day>> {
    proptest::sample::subsequence(DAYS.to_vec(), 0..=7)
}

fn clock() -> impl Strategy<Value = String> {
    (0..24, 0..60).prop_map(|(hour, minute)| format!("{hour:02}:{minute:02}"))
}

fn window() -> impl Strategy<Value = MaintenanceWindow> {
    let zone = proptest::sample::select(ZONES.to_vec());
    let ends = prop_oneof![
        clock().prop_map(|end| json!({"end": end})),
        (1..4000_i32).prop_map(|minutes| json!({"duration": format!("{minutes}m")})),
    ];
    let daily = (day(), clock(), ends, zone.clone()).prop_map(|(days, start, ends, zone)| {
        let mut window = json!({"start": start, "timeZone": zone});
        window
            .as_object_mut()
            .unwrap()
            .extend(ends.as_object().unwrap().clone());
        if !days.is_empty() {
            window["days"] = json!(days);
        }
        window
    });
    let cron = (0..60, 0..24, 0..7, 1..3000_i32, zone).prop_map(|(minute, hour, day, length, zone)| {
        json!({"cron": format!("{minute} {hour} * * {day}"), "duration": format!("{length}m"), "timeZone": zone})
    });
    prop_oneof![3 => daily, 1 => cron].prop_map(|window| serde_json::from_value(window).unwrap())
}

fn rules(windows: Vec<MaintenanceWindow>) -> Schedule {
    Schedule::parse(&Maintenance {
        windows,
        ..Maintenance::default()
    })
    .unwrap()
}

/// 2026 and 2027, to the second.
fn moment() -> impl Strategy<Value = Timestamp> {
    (1_767_225_600_i64..1_830_297_600).prop_map(|second| Timestamp::from_second(second).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// The state between a moment and its boundary is that of the moment, and at the boundary it is another.
    #[test]
    fn the_state_is_constant_up_to_the_next_boundary(windows in proptest::collection::vec(window(), 1..4), now in moment(), part in 0.0..1.0_f64) {
        let schedule = rules(windows);
        let state = schedule.at(now);
        let Some(boundary) = schedule.next_boundary(now) else { return Ok(()) };
        prop_assert!(boundary > now);
        let between = now + boundary.duration_since(now).mul_f64(part);
        if between < boundary {
            prop_assert_eq!(schedule.at(between).is_open(), state.is_open());
        }
        if state != WindowState::Always {
            prop_assert_eq!(schedule.at(boundary).is_open(), !state.is_open());
            prop_assert_eq!(schedule.at(between.min(now)), state);
        }
    }

    /// An opening holds its start and not its end, and looks the same from all of its moments.
    #[test]
    fn an_opening_is_the_same_from_inside(windows in proptest::collection::vec(window(), 1..4), now in moment(), part in 0.0..1.0_f64) {
        let schedule = rules(windows);
        let Some((start, end)) = opening(&schedule.at(now)) else { return Ok(()) };
        prop_assume!(end.duration_since(start) < SignedDuration::from_hours(20 * 24));
        prop_assert!(schedule.at(start).is_open());
        prop_assert!(!schedule.at(end).is_open());
        let inside = start + end.duration_since(start).mul_f64(part);
        if inside < end {
            prop_assert_eq!(opening(&schedule.at(inside)), Some((start, end)));
        }
    }

    /// A start, seen in its zone, is on a listed day and at the written time, or as much later as the clock jumps.
    #[test]
    fn a_daily_window_starts_on_its_days(days in day(), start in clock(), zone in proptest::sample::select(ZONES.to_vec()), now in moment()) {
        let mut window = json!({"start": start, "duration": "1m", "timeZone": zone});
        if !days.is_empty() { window["days"] = json!(days); }
        let schedule = schedule(json!([window]));
        let Some((opens, end)) = opening(&schedule.at(now)) else { return Err(TestCaseError::fail("never opens")) };
        prop_assert_eq!(end.duration_since(opens), SignedDuration::from_mins(1));
        let seen = opens.to_zoned(TimeZone::get(zone).unwrap());
        let written = format!("{:02}:{:02}", seen.hour(), seen.minute());
        if written == start {
            prop_assert!(days.is_empty() || days.contains(&of(seen.weekday())));
        } else {
            // Only a gap moves a start, and no gap of these years is longer than an hour.
            prop_assert!(opens.to_zoned(TimeZone::get(zone).unwrap()).offset() != (opens - SignedDuration::from_mins(61)).to_zoned(TimeZone::get(zone).unwrap()).offset());
        }
    }

    /// With more windows nothing closes that was open.
    #[test]
    fn a_union_is_open_where_one_of_its_parts_is(windows in proptest::collection::vec(window(), 2..4), now in moment()) {
        let any = windows.iter().any(|window| rules(vec![window.clone()]).at(now).is_open());
        prop_assert_eq!(rules(windows).at(now).is_open(), any);
    }

    /// Moving the days by one moves the window by one day of the calendar.
    #[test]
    fn shifted_days_shift_the_window(days in proptest::sample::subsequence(DAYS.to_vec(), 1..=6), hours in 1..24_i32, now in moment()) {
        let windows = |days: Vec<Day>| schedule(json!([{"days": days, "start": "12:00", "duration": format!("{hours}h")}]));
        let shifted = days.iter().map(|day| DAYS[(*day as usize + 1) % 7]).collect();
        let (one, other) = (windows(days), windows(shifted));
        prop_assert_eq!(one.at(now).is_open(), other.at(now + SignedDuration::from_hours(24)).is_open());
    }
}

fn of(day: Weekday) -> Day {
    DAYS[usize::try_from(day.to_monday_zero_offset()).unwrap()]
}
