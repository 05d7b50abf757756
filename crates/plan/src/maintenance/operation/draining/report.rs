//! Who has left and who has not, for people.

use crds::gpu_node::{BlockedPod, DrainReport, PodReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use super::super::super::turn::Turn;
use super::super::super::{EventKind, EvictionMemory, survey};
use crate::conditions::{self, Verdict};
use crate::drain::{self, Assessment};
use crate::reason::Reason;

/// Enters evictions that the server has taken since, whatever comes of the drain, and tells the owners of the pods.
pub(super) fn accepted(turn: &mut Turn) {
    let known = turn.status.drain.as_ref();
    let is_known =
        |memory: &&EvictionMemory| known.is_some_and(|drain| drain.evicted.contains(&memory.pod));
    let all = turn.seen.evictions.values();
    let taken = all.filter(|memory| memory.accepted);
    let new: Vec<_> = taken.filter(|memory| !is_known(memory)).collect();
    for memory in &new {
        tell_owner(turn, memory);
    }
    if let Some(drain) = &mut turn.status.drain {
        drain
            .evicted
            .extend(new.iter().map(|memory| memory.pod.clone()));
        drain.evicted.sort();
    }
}

fn tell_owner(turn: &mut Turn, memory: &EvictionMemory) {
    let snapshot = turn.status.snapshot.as_ref();
    let policy = snapshot.map_or("", |snapshot| snapshot.policy.as_str());
    let (operation, node) = (turn.status.operation_id, &turn.node.name);
    let what = format!("for operation {operation} of node {node} by policy {policy}");
    let (kind, reason, message) = if memory.forced {
        let message = format!("deleted past its disruption budgets {what}");
        (EventKind::Warning, Reason::ForceDeleted, message)
    } else {
        (
            EventKind::Normal,
            Reason::Evicted,
            format!("evicted {what}"),
        )
    };
    turn.tell_owner(&memory.pod, kind, reason, message);
}

/// Brings `status.drain` and condition `DrainBlocked` up to date.
pub(super) fn update(turn: &mut Turn, assessment: &Assessment) {
    let before = turn.status.drain.take().unwrap_or_default();
    let report = DrainReport {
        evicted: evicted(turn, &before, assessment),
        remaining: assessment.remaining(),
        blocked: blocked(turn, assessment),
        quiet_since: quiet_since(turn, &before, assessment),
    };
    condition(turn, &before, &report);
    turn.status.drain = Some(report);
}

/// Pods that left because of this drain: the server took their eviction, or they were asked to end after it began.
fn evicted(turn: &Turn, before: &DrainReport, assessment: &Assessment) -> Vec<PodReference> {
    let since = turn.status.phase_since.as_ref().map(|since| since.0);
    let leaving = assessment.leaving.iter().filter(|pod| {
        pod.leaving_since
            .zip(since)
            .is_some_and(|(asked, since)| asked >= since)
    });
    let mut pods: Vec<_> = before
        .evicted
        .iter()
        .chain(leaving.map(|pod| &pod.reference))
        .cloned()
        .collect();
    pods.sort();
    pods.dedup();
    pods
}

/// Who may not be evicted, who is protected by a budget, and who does not end; those first whom waiting does not help.
fn blocked(turn: &Turn, assessment: &Assessment) -> Vec<BlockedPod> {
    let (now, limits) = (turn.now, turn.limits);
    let refused = assessment.victims.iter().filter_map(|pod| {
        let memory = turn.seen.evictions.get(&pod.reference.uid)?;
        let block = memory.block.as_ref()?;
        Some(drain::explained(block, pod, turn.seen.budgets))
    });
    let stuck = assessment
        .leaving
        .iter()
        .filter_map(|pod| drain::stuck(pod, limits.stuck, now));
    let mut blocked: Vec<_> = assessment
        .blocked
        .iter()
        .cloned()
        .chain(refused)
        .chain(stuck)
        .collect();
    blocked.sort_by_key(|block| (!drain::needs_a_person(block), block.pod.clone()));
    blocked
}

/// Since when nobody is left by the API server. The agent's account may follow a little later.
fn quiet_since(turn: &Turn, before: &DrainReport, assessment: &Assessment) -> Option<MicroTime> {
    assessment.is_empty().then(|| {
        let known = before.quiet_since.clone();
        known.unwrap_or_else(|| conditions::microseconds(turn.now))
    })
}

fn condition(turn: &mut Turn, before: &DrainReport, report: &DrainReport) {
    let Some(first) = report.blocked.first() else {
        return turn.condition(
            "DrainBlocked",
            Verdict::False,
            Reason::NotBlocked,
            "nothing stands in the way of the drain",
        );
    };
    let message = survey::some(&report.blocked, |block| {
        format!("{}: {}", block.pod, block.message)
    });
    let was = conditions::holds(&turn.status.conditions, "DrainBlocked");
    let is_news = |block: &BlockedPod| {
        let same = |old: &BlockedPod| old.pod == block.pod && old.reason == block.reason;
        drain::needs_a_person(block) && !before.blocked.iter().any(same)
    };
    let news = report.blocked.iter().any(is_news);
    if !was || before.blocked.is_empty() || news {
        turn.warn(Reason::DrainBlocked, message.clone());
    }
    turn.condition(
        "DrainBlocked",
        Verdict::True,
        Reason::of(&first.reason),
        message,
    );
}
