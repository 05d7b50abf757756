//! The instances that people are shown, against what is decided by.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::json;

use super::{at, schedule, with_blackout};
use crate::windows::{Instance, Schedule, WindowState};

fn spans(instances: &[Instance]) -> Vec<String> {
    let span = |it: &Instance| format!("{} {}..{}", it.window, it.start, it.end);
    instances.iter().map(span).collect()
}

#[test]
fn nights_across_a_change_of_the_clocks_are_longer_or_shorter_unless_they_have_a_length() {
    let night = |end| json!([{"start": "22:00", "end": end, "timeZone": "Europe/Berlin"}]);
    let shown =
        schedule(night("06:00")).instances(at("2026-03-28T12:00:00Z"), at("2026-03-29T21:00:00Z"));
    assert_eq!(
        spans(&shown),
        [
            "0 2026-03-28T21:00:00Z..2026-03-29T04:00:00Z",
            "0 2026-03-29T20:00:00Z..2026-03-30T04:00:00Z",
        ]
    );
    let exact = json!([{"start": "22:00", "duration": "8h", "timeZone": "Europe/Berlin"}]);
    let shown = schedule(exact).instances(at("2026-03-28T12:00:00Z"), at("2026-03-29T12:00:00Z"));
    assert_eq!(
        spans(&shown),
        ["0 2026-03-28T21:00:00Z..2026-03-29T05:00:00Z"]
    );
}

#[test]
fn instances_that_are_on_already_are_shown_all_of_them() {
    let long = json!([{"cron": "0 0 * * *", "duration": "48h"}]);
    let shown = schedule(long).instances(at("2026-05-03T12:00:00Z"), at("2026-05-03T13:00:00Z"));
    assert_eq!(
        spans(&shown),
        [
            "0 2026-05-02T00:00:00Z..2026-05-04T00:00:00Z",
            "0 2026-05-03T00:00:00Z..2026-05-05T00:00:00Z",
        ]
    );
}

#[test]
fn a_blackout_takes_its_part_out_of_an_instance() {
    let noon = json!([{"start": "10:00", "end": "14:00"}]);
    let (from, until) = (at("2026-05-03T00:00:00Z"), at("2026-05-04T00:00:00Z"));
    for (blackout, open) in [
        (("09:00", "10:00"), vec![("10:00", "14:00")]),
        (("09:00", "11:00"), vec![("11:00", "14:00")]),
        (
            ("11:00", "12:00"),
            vec![("10:00", "11:00"), ("12:00", "14:00")],
        ),
        (("13:00", "15:00"), vec![("10:00", "13:00")]),
        (("10:00", "14:00"), vec![]),
    ] {
        let clock = |time: &str| format!("2026-05-03T{time}:00Z");
        let schedule = with_blackout(noon.clone(), &clock(blackout.0), &clock(blackout.1));
        let shown = schedule.instances(from, until);
        let expected: Vec<_> = open
            .into_iter()
            .map(|(from, to)| (at(&clock(from)), at(&clock(to))))
            .collect();
        assert_eq!(shown[0].open, expected, "{blackout:?}");
    }
}

#[test]
fn an_instance_that_is_too_short_admits_nothing_unless_another_touches_it() {
    let hour = SignedDuration::from_hours(1);
    let (from, until) = (at("2026-05-03T00:00:00Z"), at("2026-05-04T00:00:00Z"));
    let first = json!({"start": "10:00", "end": "10:40"});
    let alone = schedule(json!([first]));
    assert!(!alone.admits_in(&alone.instances(from, until)[0], hour));
    let both = schedule(json!([first, {"start": "10:40", "end": "11:20"}]));
    let shown = both.instances(from, until);
    assert!(both.admits_in(&shown[0], hour));
    assert!(!both.admits_in(&shown[1], hour), "too late by then");
}

fn any_schedule() -> impl Strategy<Value = Schedule> {
    let zone = prop::sample::select(vec![
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Asia/Kolkata",
    ]);
    let daily = (0..24u8, 0..24u8, zone.clone()).prop_map(|(start, end, zone)| {
        json!({"start": format!("{start:02}:30"), "end": format!("{end:02}:00"), "timeZone": zone})
    });
    let cron = (0..24u8, 1..40u8, zone).prop_map(|(hour, length, zone)| {
        json!({"cron": format!("15 {hour} * * *"), "duration": format!("{length}h"), "timeZone": zone})
    });
    let windows = prop::collection::vec(prop_oneof![daily, cron], 1..3);
    (windows, 0..200i64, 1..60i64).prop_map(|(windows, begins, lasts)| {
        let from = hours(begins);
        with_blackout(
            json!(windows),
            &from.to_string(),
            &(from + SignedDuration::from_hours(lasts)).to_string(),
        )
    })
}

/// So many hours after the evening before a change of clocks in Berlin.
fn hours(number: i64) -> Timestamp {
    at("2026-03-27T18:00:00Z") + SignedDuration::from_hours(number)
}

proptest! {
    #[test]
    fn a_moment_is_open_exactly_if_it_is_in_the_open_part_of_some_instance(
        schedule in any_schedule(),
        minute in 0..14_000i64,
    ) {
        let moment = hours(0) + SignedDuration::from_mins(minute);
        let shown = schedule.instances(hours(0), hours(240));
        let open = shown.iter().flat_map(|it| &it.open).any(|(start, end)| *start <= moment && moment < *end);
        let decided = match schedule.at(moment) {
            WindowState::Always | WindowState::Open { .. } => true,
            WindowState::Closed { .. } => false,
        };
        prop_assert_eq!(open, decided);
    }
}
