//! What is open as one, and what blackouts leave of it.

use jiff::SignedDuration;
use serde_json::json;

use super::super::WindowState;
use super::{at, opening, schedule, with_blackout};

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
