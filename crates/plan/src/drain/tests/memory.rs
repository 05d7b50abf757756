use std::time::Duration;

use crds::gpu_node::PodReference;
use jiff::{SignedDuration, Timestamp};

use crate::drain::{EvictionMemory, Reply};

fn now() -> Timestamp {
    "2026-03-01T02:00:00Z".parse().unwrap()
}

fn pod(uid: &str) -> PodReference {
    PodReference {
        namespace: "default".to_owned(),
        name: "web".to_owned(),
        uid: uid.to_owned(),
    }
}

fn budget(after: Option<Duration>) -> Reply {
    Reply::Budget {
        message: "the budget says no".to_owned(),
        after,
    }
}

#[test]
fn an_accepted_eviction_is_never_due_again() {
    let memory = EvictionMemory::after(None, &pod("a"), &Reply::Accepted, now()).unwrap();
    assert!(!memory.is_due(now() + SignedDuration::from_hours(100)));
    assert_eq!(memory.block, None);
}

#[test]
fn a_pod_that_is_gone_or_must_be_looked_at_is_forgotten() {
    for reply in [Reply::Gone, Reply::Stale] {
        assert_eq!(EvictionMemory::after(None, &pod("a"), &reply, now()), None);
    }
}

#[test]
fn refusals_are_tried_again_after_5_10_20_and_30_seconds_spread_by_pod() {
    for reply in [
        budget(None),
        Reply::Throttled(None),
        Reply::NamespaceEnding,
        Reply::Failed("x".to_owned()),
    ] {
        let mut memory = None;
        for (attempt, seconds) in [5, 10, 20, 30, 30, 30].into_iter().enumerate() {
            memory = EvictionMemory::after(memory.as_ref(), &pod("a"), &reply, now());
            let wait = memory
                .as_ref()
                .unwrap()
                .next
                .duration_since(now())
                .as_millis();
            assert!(
                (seconds * 1000..seconds * 1200).contains(&wait),
                "{reply:?} {attempt}: {wait}"
            );
        }
    }
    let wait = |uid: &str| {
        EvictionMemory::after(None, &pod(uid), &budget(None), now())
            .unwrap()
            .next
    };
    let waits: std::collections::BTreeSet<_> = (0..20).map(|n| wait(&n.to_string())).collect();
    assert!(waits.len() > 10, "spread");
}

#[test]
fn what_no_waiting_helps_against_is_asked_slowly() {
    for reply in [
        Reply::Budgets("two".to_owned()),
        Reply::Forbidden("no".to_owned()),
    ] {
        let memory = EvictionMemory::after(None, &pod("a"), &reply, now()).unwrap();
        assert_eq!(memory.next, now() + SignedDuration::from_secs(30));
        assert!(!memory.is_due(now() + SignedDuration::from_secs(29)));
        assert!(memory.is_due(now() + SignedDuration::from_secs(30)));
    }
}

#[test]
fn the_server_may_ask_for_a_longer_wait() {
    let reply = budget(Some(Duration::from_mins(1)));
    let memory = EvictionMemory::after(None, &pod("a"), &reply, now()).unwrap();
    assert_eq!(memory.next, now() + SignedDuration::from_mins(1));
}

#[test]
fn what_stands_in_the_way_is_named() {
    let reason = |reply: &Reply| {
        let memory = EvictionMemory::after(None, &pod("a"), reply, now()).unwrap();
        memory
            .block
            .map(|block| (block.pod, block.reason, block.message))
    };
    let (pod, why, message) = reason(&budget(None)).unwrap();
    assert_eq!(
        (pod.as_str(), why.as_str()),
        ("default/web", "DisruptionBudget")
    );
    assert_eq!(message, "the budget says no");
    assert_eq!(
        reason(&Reply::Budgets(String::new())).unwrap().1,
        "MultipleDisruptionBudgets"
    );
    assert_eq!(reason(&Reply::Throttled(None)).unwrap().1, "Throttled");
    assert_eq!(
        reason(&Reply::Forbidden(String::new())).unwrap().1,
        "Forbidden"
    );
    assert_eq!(reason(&Reply::Failed(String::new())).unwrap().1, "Error");
    assert_eq!(reason(&Reply::NamespaceEnding), None);
}
