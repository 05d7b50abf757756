//! Moments inside and outside, by the wall clock.

use serde_json::{Value, json};

use super::{at, opening, schedule};

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
