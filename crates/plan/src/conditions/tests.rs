use jiff::SignedDuration;

use super::*;

fn at(seconds: i64) -> Timestamp {
    let start: Timestamp = "2026-03-01T02:00:00.123456789Z".parse().unwrap();
    start + SignedDuration::from_secs(seconds)
}

#[test]
fn the_transition_time_moves_only_with_the_status() {
    let mut list = Vec::new();
    set(
        &mut list,
        "Ready",
        Verdict::False,
        Reason::Closed,
        "one",
        at(0),
    );
    set(
        &mut list,
        "Ready",
        Verdict::False,
        Reason::Blackout,
        "two",
        at(10),
    );
    let ready = find(&list, "Ready").unwrap();
    assert_eq!(
        (ready.reason.as_str(), ready.message.as_str()),
        ("Blackout", "two")
    );
    assert_eq!(ready.last_transition_time, seconds(at(0)));
    set(
        &mut list,
        "Ready",
        Verdict::True,
        Reason::Open,
        "three",
        at(20),
    );
    assert_eq!(
        find(&list, "Ready").unwrap().last_transition_time,
        seconds(at(20))
    );
    assert!(holds(&list, "Ready"));
    remove(&mut list, "Ready");
    assert!(!holds(&list, "Ready") && list.is_empty());
}

#[test]
fn what_was_set_earlier_is_about_the_generation_that_was_observed_last() {
    let mut list = Vec::new();
    let set_one = |list: &mut Vec<Condition>, kind: &str| {
        set(list, kind, Verdict::True, Reason::Valid, "m", at(0));
    };
    set_one(&mut list, "A");
    observe(&mut list, Some(1));
    set_one(&mut list, "A");
    assert_eq!(find(&list, "A").unwrap().observed_generation, Some(1));
    set_one(&mut list, "B");
    observe(&mut list, Some(2));
    let generations: Vec<_> = list.iter().map(|it| it.observed_generation).collect();
    assert_eq!(generations, [Some(2), Some(2)]);
}

#[test]
fn the_order_of_setting_does_not_show() {
    let mut lists = [Vec::new(), Vec::new()];
    for kind in ["B", "A", "C"] {
        set(
            &mut lists[0],
            kind,
            Verdict::Unknown,
            Reason::Error,
            "m",
            at(0),
        );
    }
    for kind in ["C", "B", "A"] {
        set(
            &mut lists[1],
            kind,
            Verdict::Unknown,
            Reason::Error,
            "m",
            at(0),
        );
    }
    assert_eq!(lists[0], lists[1]);
}

#[test]
fn what_is_written_is_what_is_read_back() {
    let (time, micro) = (seconds(at(0)), microseconds(at(0)));
    let time_back: Time = serde_json::from_value(serde_json::to_value(&time).unwrap()).unwrap();
    let micro_json = serde_json::to_value(&micro).unwrap();
    let micro_back: MicroTime = serde_json::from_value(micro_json).unwrap();
    assert_eq!((time_back, micro_back), (time, micro));
}
