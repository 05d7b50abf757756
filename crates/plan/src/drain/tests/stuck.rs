use jiff::{SignedDuration, Timestamp};

use super::assess::pod;
use crate::drain::stuck;

#[test]
fn a_pod_is_stuck_a_while_after_its_grace_and_what_keeps_it_is_named() {
    let until: Timestamp = "2026-03-01T02:00:30Z".parse().unwrap();
    let minute = SignedDuration::from_mins(1);
    let mut leaver = pod("web");
    let is_stuck = |pod: &crate::pod::PodView, seconds: i64| {
        stuck(pod, minute, until + SignedDuration::from_secs(seconds))
    };
    assert_eq!(is_stuck(&leaver, 1_000), None, "nobody asked it to end");
    leaver.leaving_until = Some(until);
    assert_eq!(is_stuck(&leaver, 59), None);
    let named = is_stuck(&leaver, 60).unwrap();
    assert_eq!(
        (named.pod.as_str(), named.reason.as_str()),
        ("default/web", "StuckTerminating")
    );
    assert!(
        named.message.contains("2026-03-01T02:00:30Z"),
        "{}",
        named.message
    );
    assert!(
        named.message.contains("see whether the kubelet"),
        "{}",
        named.message
    );

    leaver.finalizers = vec!["example.com/a".to_owned(), "example.com/b".to_owned()];
    let named = is_stuck(&leaver, 60).unwrap();
    assert!(
        named
            .message
            .contains("finalizers example.com/a, example.com/b"),
        "{}",
        named.message
    );
}
