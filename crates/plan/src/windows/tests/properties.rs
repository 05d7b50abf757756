//! What holds of every schedule.

use crds::policy::{Day, Maintenance, MaintenanceWindow};
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use super::super::{Schedule, WindowState};
use super::{opening, schedule};

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
    let zone = select(ZONES.to_vec());
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

    /// What is left of an opening is seen without following it to its end.
    #[test]
    fn whether_there_is_time_enough_is_the_same_by_either_way(windows in proptest::collection::vec(window(), 1..4), now in moment(), minutes in 1..3000_i64) {
        let (schedule, need) = (rules(windows), SignedDuration::from_mins(minutes));
        prop_assert_eq!(schedule.lasts(now, need), schedule.at(now).admits(now, need).is_ok());
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
    fn a_daily_window_starts_on_its_days(days in day(), start in clock(), zone in select(ZONES.to_vec()), now in moment()) {
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

    /// A length of time is exact, whatever the clocks do meanwhile: most change theirs in the night to a Sunday.
    #[test]
    fn an_instance_lasts_as_long_as_it_is_said_to(minutes in 1..6 * 1440_i64, hour in 0..24, by_cron in any::<bool>(), zone in select(ZONES.to_vec()), now in moment()) {
        let length = format!("{minutes}m");
        let window = if by_cron {
            json!({"cron": format!("30 {hour} * * 6"), "duration": length, "timeZone": zone})
        } else {
            json!({"days": ["Sat"], "start": format!("{hour:02}:30"), "duration": length, "timeZone": zone})
        };
        let schedule = schedule(json!([window]));
        let Some((start, end)) = opening(&schedule.at(now)) else { return Err(TestCaseError::fail("never opens")) };
        prop_assert_eq!(end.duration_since(start), SignedDuration::from_mins(minutes));
        for (moment, open) in [(start, true), (end - SignedDuration::from_nanos(1), true), (end, false)] {
            prop_assert_eq!(schedule.at(moment).is_open(), open);
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
