//! Who has left and who has not, for people.

use crds::gpu_node::{BlockedPod, DrainReport, PodReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use super::super::super::survey;
use super::super::super::turn::Turn;
use crate::conditions::{self, Verdict};
use crate::drain::Assessment;
use crate::reason::Reason;

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
    let accepted = turn
        .seen
        .evictions
        .values()
        .filter(|memory| memory.accepted);
    let leaving = assessment.leaving.iter().filter(|pod| {
        pod.leaving_since
            .zip(since)
            .is_some_and(|(asked, since)| asked >= since)
    });
    let mut pods: Vec<_> = before
        .evicted
        .iter()
        .chain(accepted.map(|memory| &memory.pod))
        .chain(leaving.map(|pod| &pod.reference))
        .cloned()
        .collect();
    pods.sort();
    pods.dedup();
    pods
}

/// Who may not be evicted, and who is protected by a budget.
fn blocked(turn: &Turn, assessment: &Assessment) -> Vec<BlockedPod> {
    let budgets = assessment.victims.iter().filter_map(|pod| {
        let memory = turn.seen.evictions.get(&pod.reference.uid)?;
        memory.block.clone()
    });
    let mut blocked: Vec<_> = assessment.blocked.iter().cloned().chain(budgets).collect();
    blocked.sort_by(|one, other| one.pod.cmp(&other.pod));
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
    if !was || before.blocked.is_empty() {
        turn.warn(Reason::DrainBlocked, message.clone());
    }
    turn.condition(
        "DrainBlocked",
        Verdict::True,
        Reason::of(&first.reason),
        message,
    );
}
