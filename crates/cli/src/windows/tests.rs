use std::fs;

use serde_json::{Value, json};

use super::{length, run};
use crate::args::{Format, WindowsArgs};
use crate::outcome::Outcome;

fn listed(maintenance: &str, stretch: &str, output: Format) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.yaml");
    let policy = format!(
        "
apiVersion: gpusharing.dev/v1alpha1
kind: GpuSharingPolicy
metadata: {{name: p}}
spec:
  strategy: {{type: Exclusive}}
  maintenance: {maintenance}
"
    );
    fs::write(&path, policy).unwrap();
    let args = WindowsArgs {
        filenames: vec![path],
        from: Some("2026-03-28T00:00:00Z".parse().unwrap()),
        length: length(stretch).unwrap(),
        output,
    };
    run(&args).unwrap()
}

fn text(maintenance: &str, stretch: &str) -> String {
    listed(maintenance, stretch, Format::Text).text
}

#[test]
fn an_instance_is_shown_in_utc_and_in_its_own_zone() {
    let weekends = "{minRemaining: 20m, windows: [{days: [Sat, Sun], start: '01:00', end: '05:00', timeZone: Europe/Berlin}]}";
    assert_eq!(
        text(weekends, "2d"),
        "policy p: an operation may need 20 min\n  \
         windows[0]  2026-03-28T00:00:00Z to 2026-03-28T04:00:00Z  2026-03-28T01:00:00+01:00[Europe/Berlin] to 2026-03-28T05:00:00+01:00[Europe/Berlin]\n  \
         windows[0]  2026-03-29T00:00:00Z to 2026-03-29T03:00:00Z  2026-03-29T01:00:00+01:00[Europe/Berlin] to 2026-03-29T05:00:00+02:00[Europe/Berlin]\n"
    );
}

#[test]
fn blackouts_and_shortness_are_told() {
    let rules = "{minRemaining: 1h, windows: [{start: '01:00', end: '01:30'}, {start: '04:00', end: '06:00'}], \
                 blackouts: [{from: '2026-03-28T05:00:00Z', to: '2026-03-29T05:00:00Z', reason: freeze}]}";
    let shown = text(rules, "30h");
    let said = [
        "windows[0]: it lasts 30 min, and an operation may need 1 h, so none ever begins in it; lengthen it, or set \
         spec.maintenance.minRemaining or drain.timeout lower",
        "  blackout    2026-03-28T05:00:00Z to 2026-03-29T05:00:00Z (freeze)",
        "01:30:00+00:00[UTC]  too short for an operation",
        "06:00:00+00:00[UTC]  open only 2026-03-28T04:00:00Z to 2026-03-28T05:00:00Z",
        "01:30:00+00:00[UTC]  closed by a blackout",
        "06:00:00+00:00[UTC]  open only 2026-03-29T05:00:00Z to 2026-03-29T06:00:00Z",
    ];
    let lines: Vec<_> = shown.lines().skip(1).collect();
    assert_eq!(lines.len(), said.len(), "{shown}");
    for (line, said) in lines.into_iter().zip(said) {
        assert!(line.ends_with(said), "{line:?}, not {said:?}");
    }
}

#[test]
fn a_policy_that_is_always_never_or_later_open_says_so() {
    let cases = [
        ("{}", "policy p: always open, it has no windows\n"),
        (
            "{blackouts: [{from: 2026-03-01T00:00:00Z, to: 2026-05-01T00:00:00Z}]}",
            "policy p: open but for its blackouts, it has no windows\n  blackout    2026-03-01T00:00:00Z to 2026-05-01T00:00:00Z \
             (no reason given)\n",
        ),
        (
            "{windows: [{cron: '0 0 30 2 *', duration: 1h}]}",
            "policy p: never opens; change spec.maintenance.windows\n  \
             warning: spec.maintenance.windows[0]: it never opens: write a day that exists, such as cron 0 2 28 2 * for the \
             28th of February\n",
        ),
        (
            "{minRemaining: 5m, windows: [{cron: '0 0 1 6 *', duration: 1h}]}",
            "policy p: an operation may need 5 min\n  not open in this time; next 2026-06-01T00:00:00Z to 2026-06-01T01:00:00Z\n",
        ),
    ];
    for (rules, expected) in cases {
        assert_eq!(text(rules, "7d"), expected, "{rules}");
    }
}

#[test]
fn windows_that_cannot_be_read_are_named_and_not_valid() {
    let outcome = listed(
        "{windows: [{start: '01:00', end: '05:00', timeZone: Europe/Atlantis}]}",
        "7d",
        Format::Text,
    );
    assert!(!outcome.is_valid);
    assert!(
        outcome
            .text
            .starts_with("policy p: NOT VALID, so nothing is open\n")
            && outcome
                .text
                .contains("spec.maintenance.windows[0].timeZone"),
        "{}",
        outcome.text
    );
}

#[test]
fn programs_get_instants_and_both_zones() {
    let rules = "{minRemaining: 1h, windows: [{cron: '0 2 * * *', duration: 2h, timeZone: America/New_York}]}";
    let outcome = listed(rules, "1d", Format::Json);
    let shown: Value = serde_json::from_str(&outcome.text).unwrap();
    assert_eq!(
        shown,
        json!({"policies": [{
            "policy": "p", "need": "1 h", "state": "Opens", "blackouts": [],
            "instances": [{
                "window": 0, "timeZone": "America/New_York", "admits": true,
                "start": "2026-03-28T06:00:00Z", "end": "2026-03-28T08:00:00Z",
                "localStart": "2026-03-28T02:00:00-04:00[America/New_York]",
                "localEnd": "2026-03-28T04:00:00-04:00[America/New_York]",
                "open": [{"start": "2026-03-28T06:00:00Z", "end": "2026-03-28T08:00:00Z"}],
            }],
        }]})
    );
}

#[test]
fn a_stretch_of_time_is_positive_and_at_most_a_year() {
    for (text, seconds) in [
        ("30d", Some(2_592_000)),
        ("12h", Some(43_200)),
        ("366d", Some(31_622_400)),
        ("367d", None),
        ("0s", None),
        ("-1d", None),
        ("1 month", None),
        ("soon", None),
    ] {
        let length = length(text).ok().map(|length| length.as_secs());
        assert_eq!(length, seconds, "{text}");
    }
}
