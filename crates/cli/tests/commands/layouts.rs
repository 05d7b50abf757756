//! What is answered about layouts, as programs read it.

use serde_json::{Value, json};

use crate::plugin;

/// The answer to `layout` with these flags, and whether its exit code agrees with it.
fn answer(flags: &str) -> Value {
    let said = plugin(&format!("layout {flags} -o json"));
    assert!(said.errors.is_empty(), "{flags}: {}", said.errors);
    let answer: Value = serde_json::from_str(&said.output).unwrap();
    let code = if answer["feasible"] == true { 0 } else { 2 };
    assert_eq!(said.code, code, "{flags}: {answer}");
    answer
}

fn instance(profile: &str, start: i32, size: i32) -> Value {
    json!({"profile": profile, "start": start, "size": size})
}

fn step(verb: &str, profile: &str, start: i32, size: i32) -> Value {
    json!({"verb": verb, "profile": profile, "start": start, "size": size})
}

#[test]
fn a_feasible_layout_is_answered_in_full() {
    let asked = "--product A100-SXM4-40GB --want 3g.20gb=1,1g.5gb=2 --current 2g.10gb@0,1g.5gb@5";
    let mut expected = json!({
        "feasible": true,
        "placements": [instance("3g.20gb", 0, 4), instance("1g.5gb", 4, 1), instance("1g.5gb", 5, 1)],
        "kept": [instance("1g.5gb", 5, 1)],
        "destroyed": [instance("2g.10gb", 0, 2)],
        "created": [instance("3g.20gb", 0, 4), instance("1g.5gb", 4, 1)],
        "evictions": 0,
        "steps": [
            step("destroy", "2g.10gb", 0, 2),
            step("create", "3g.20gb", 0, 4),
            step("create", "1g.5gb", 4, 1),
        ],
        "blockedBy": [],
        "alternatives": [],
    });
    assert_eq!(answer(asked), expected);
    for (held, evictions) in [
        ("--held 2g.10gb@0", 1),
        ("--held 2g.10gb@0=3", 3),
        ("--held 2g.10gb@0=3,1g.5gb@5=7", 3),
        ("--held 1g.5gb@5 --held 2g.10gb@0=2", 2),
    ] {
        expected["evictions"] = evictions.into();
        assert_eq!(answer(&format!("{asked} {held}")), expected, "{held}");
    }
}

#[test]
fn an_infeasible_layout_is_answered_with_what_blocks_it_and_what_there_is_instead() {
    let pinned = answer(
        "--product A100-SXM4-40GB --want 4g.20gb=1,2g.10gb=1 --current 1g.5gb@1,2g.10gb@4 --pinned 1g.5gb@1",
    );
    assert_eq!(
        pinned,
        json!({
            "feasible": false,
            "reason": "4g.20gb+2g.10gb cannot be placed beside 1g.5gb at slice 1 (pinned)",
            "placements": [], "kept": [], "destroyed": [], "created": [], "evictions": 0, "steps": [],
            "blockedBy": [
                {"profile": "4g.20gb", "start": 0, "by": "1g.5gb@1"},
                {"profile": "4g.20gb", "start": 0, "by": "2g.10gb@2, which is wanted too"},
            ],
            "alternatives": [
                {"3g.20gb": 1, "2g.10gb": 1},
                {"3g.20gb": 1, "1g.10gb": 1},
                {"3g.20gb": 1, "2g.10gb": 1, "1g.5gb": 1},
            ],
        })
    );
    let wanted = answer("--product A100-SXM4-40GB --want 3g.20gb=2,1g.5gb=1");
    let by_start: Vec<_> = (0..7)
        .map(|start| {
            let by = if start < 4 { "3g.20gb@0" } else { "3g.20gb@4" };
            json!({"profile": "1g.5gb", "start": start, "by": format!("{by}, which is wanted too")})
        })
        .collect();
    assert_eq!(wanted["blockedBy"], json!(by_start));
}

/// Flags and the reason, or nothing if there is a layout.
const VERDICTS: &[(&str, Option<&str>)] = &[
    ("--product A100-SXM4-40GB --want 7g.40gb=1", None),
    ("--product a100-sxm4-40gb --want 1g.5gb=7", None),
    (
        "--product A100-SXM4-40GB --want 1g.5gb=7,1g.5gb+me=1",
        Some("does not fit"),
    ),
    (
        "--product A100-SXM4-40GB --want 1g.5gb=8",
        Some("room for 7"),
    ),
    (
        "--product A100-SXM4-40GB --want 1g.5gb=1000",
        Some("room for 7"),
    ),
    (
        "--product A100-SXM4-40GB --want 1g.5gb+me=2",
        Some("room for 1"),
    ),
    ("--product A100-SXM4-40GB --want 1g.10gb=4", None),
    ("--product A100-SXM4-40GB --want 4g.20gb=1,3g.20gb=1", None),
    ("--product A100-SXM4-40GB --want 3g.20gb=1,1g.5gb=4", None),
    (
        "--product A100-SXM4-40GB --want 2g.10gb=3,1g.5gb=2",
        Some("takes 8 of 7 compute slices"),
    ),
    (
        "--product A100-SXM4-40GB --want 1g.6gb=1",
        Some("has no profile 1g.6gb; it offers 7g.40gb, "),
    ),
    (
        "--product A100-SXM4-40GB --want 1c.3g.20gb=1",
        Some("has no profile 1c.3g.20gb"),
    ),
    (
        "--product A100-SXM4-40GB --want 1g.5gb=1,9g.9gb=1",
        Some("has no profile 9g.9gb"),
    ),
    (
        "--product A100-SXM4-40GB --want 7g.40gb=1 --current 7g.40gb@0 --pinned 7g.40gb@0",
        None,
    ),
    ("--product H100-SXM5-80GB --want 1g.10gb=7", None),
    ("--product A30 --want 1g.6gb=4", None),
    (
        "--product A30 --want 2g.12gb+me=1,1g.6gb+me=1",
        Some("need the same media engines"),
    ),
    (
        "--product RTX-PRO-6000 --want 1g.24gb+me.all=1,1g.24gb-me=3",
        None,
    ),
    (
        "--product RTX-PRO-6000 --want 1g.24gb+me.all=1,1g.24gb=1",
        Some("need the same media engines"),
    ),
    ("--product T4 --want 1g.5gb=1", Some("Tesla T4 has no MIG")),
];

#[test]
fn the_verdict_is_that_of_the_hardware() {
    for (flags, reason) in VERDICTS {
        let answer = answer(flags);
        assert_eq!(answer["feasible"], reason.is_none(), "{flags}: {answer}");
        let said = answer["reason"].as_str();
        assert_eq!(said.is_some(), reason.is_some(), "{flags}: {answer}");
        let said = said.unwrap_or_default();
        assert!(said.contains(reason.unwrap_or_default()), "{flags}: {said}");
    }
}

#[test]
fn the_drivers_name_of_a_product_is_understood() {
    let asked = [
        "layout",
        "--product",
        "nvidia h100 80gb hbm3",
        "--want",
        "7g.80gb=1",
    ];
    assert_eq!(crate::run(asked).code, 0);
}

#[test]
fn what_is_pinned_stays_whether_it_is_wanted_or_not() {
    let current = "--current 1g.5gb@6,2g.10gb@0 --pinned 1g.5gb@6";
    let wanted = answer(&format!(
        "--product A100-SXM4-40GB --want 1g.5gb=1 {current}"
    ));
    assert_eq!(wanted["kept"], json!([instance("1g.5gb", 6, 1)]));
    assert_eq!(wanted["destroyed"], json!([instance("2g.10gb", 0, 2)]));
    let beside = answer(&format!(
        "--product A100-SXM4-40GB --want 3g.20gb=1 {current}"
    ));
    assert_eq!(beside["placements"], json!([instance("3g.20gb", 0, 4)]));
    assert_eq!(beside["kept"], json!([]));
    assert_eq!(beside["destroyed"], json!([instance("2g.10gb", 0, 2)]));
}
