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
        Reply::BrokenBudget("wrong".to_owned()),
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
fn a_budget_that_is_being_counted_is_asked_again_when_the_server_says_and_not_later() {
    let counting = budget(Some(Duration::from_secs(10)));
    let mut memory = None;
    for _ in 0..6 {
        memory = EvictionMemory::after(memory.as_ref(), &pod("a"), &counting, now());
        let next = memory.as_ref().unwrap().next;
        assert_eq!(next, now() + SignedDuration::from_secs(10));
    }
    // A busy server is another matter.
    let busy = Reply::Throttled(Some(Duration::from_secs(10)));
    let next = EvictionMemory::after(memory.as_ref(), &pod("a"), &busy, now())
        .unwrap()
        .next;
    assert!(next >= now() + SignedDuration::from_secs(30));
}

#[test]
fn a_deletion_past_the_budgets_follows_an_eviction_at_once_and_itself_like_any_other() {
    let refused = EvictionMemory::after(None, &pod("a"), &budget(None), now()).unwrap();
    assert!(refused.is_due_by_force(now()));
    let forbidden = Reply::Forbidden("no".to_owned());
    let deletion = EvictionMemory::after(Some(&refused), &pod("a"), &forbidden, now()).unwrap();
    let deletion = deletion.of_deletion();
    assert!(!deletion.is_due_by_force(now() + SignedDuration::from_secs(29)));
    assert!(deletion.is_due_by_force(now() + SignedDuration::from_secs(30)));
    let taken = EvictionMemory::after(Some(&deletion), &pod("a"), &Reply::Accepted, now());
    let taken = taken.unwrap().of_deletion();
    assert!(!taken.is_due_by_force(now() + SignedDuration::from_hours(1)));
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
    let (_, why, message) = reason(&Reply::BrokenBudget("negative".to_owned())).unwrap();
    assert_eq!(why, "DisruptionBudget");
    assert!(
        message.starts_with("negative. See whether kube-controller-manager"),
        "{message}"
    );
    assert_eq!(reason(&Reply::Throttled(None)).unwrap().1, "Throttled");
    assert_eq!(
        reason(&Reply::Forbidden(String::new())).unwrap().1,
        "Forbidden"
    );
    assert_eq!(reason(&Reply::Failed(String::new())).unwrap().1, "Error");
    assert_eq!(reason(&Reply::NamespaceEnding), None);
}

#[test]
fn nobody_waits_for_a_pod_longer_than_a_drain_may_take() {
    let years = Some(Duration::from_secs(u32::MAX.into()));
    for reply in [budget(years), Reply::Throttled(years)] {
        let memory = EvictionMemory::after(None, &pod("a"), &reply, now()).unwrap();
        let minutes = |minutes| now() + SignedDuration::from_mins(minutes);
        assert_eq!(memory.next, minutes(5), "{reply:?}");
        assert!(!memory.is_due(minutes(4)));
        let set_back = now() - SignedDuration::from_hours(24 * 365);
        assert!(memory.is_due(set_back), "the clock was wrong by a year");
    }
}
