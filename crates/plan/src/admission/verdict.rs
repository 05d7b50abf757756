//! The policy's conditions.

use std::cmp::Reverse;

use crds::GpuSharingPolicy;
use crds::gpu_node::{OperationResult, Phase};
use crds::policy::GpuSharingPolicyStatus;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::NodeSummary;
use crate::conditions::{self, Verdict};
use crate::maintenance::{Event, EventKind};
use crate::resolve::Problem;
use crate::windows::WindowState;

/// All that the conditions go by.
pub(super) struct Facts<'a> {
    pub(super) nodes: &'a [&'a NodeSummary],
    pub(super) problem: Option<&'a Problem>,
    pub(super) halted: Option<&'a str>,
    pub(super) window: Option<&'a WindowState>,
}

/// What a condition says: its type, whether it holds, a word and a sentence.
struct Finding {
    kind: &'static str,
    verdict: Verdict,
    reason: &'static str,
    message: String,
}

/// Why the policy starts nothing any more: so many operations in a row, the newest first and on whatever nodes, did not
/// succeed. A node's failures are forgotten when it succeeds, when the policy changes, and when a person asks for another
/// attempt; so these are the three ways out.
pub(super) fn halted(policy: &GpuSharingPolicy, nodes: &[&NodeSummary]) -> Option<String> {
    let limit = policy.spec.maintenance.halt_after_failures;
    let mut operations: Vec<_> = nodes.iter().flat_map(|node| operations(node)).collect();
    operations.sort_by_key(|(finished, ..)| Reverse(*finished));
    let failures = operations.iter().take_while(|(_, failed, _)| *failed);
    let names: Vec<_> = failures.map(|(.., name)| *name).collect();
    let in_a_row = i32::try_from(names.len()).unwrap_or(i32::MAX);
    // A node remembers how often it has failed for longer than how.
    let worst = nodes.iter().max_by_key(|node| (node.attempts, &node.name));
    let count = in_a_row.max(worst.map_or(0, |node| node.attempts));
    let latest = names
        .first()
        .copied()
        .or(worst.map(|node| node.name.as_str()))?;
    (count >= limit).then(|| {
        format!(
            "{count} operations in a row did not succeed, the latest on {latest}; see their GpuNodes, then change the \
             policy or set the annotation gpusharing.dev/retry on the nodes"
        )
    })
}

/// When each operation ended, whether it still counts as a failure, and where.
fn operations(node: &NodeSummary) -> impl Iterator<Item = (Timestamp, bool, &str)> {
    let remembered = usize::try_from(node.attempts).unwrap_or(0);
    let tried = node.history.iter().filter(|(_, result)| counts(*result));
    tried
        .enumerate()
        .filter_map(move |(index, (finished, result))| {
            let failed = *result != OperationResult::Succeeded;
            // Forgotten failures say nothing.
            (!failed || index < remembered).then_some((*finished, failed, node.name.as_str()))
        })
}

/// An operation that was taken back because it was not needed, or out of time, is no attempt.
const fn counts(result: OperationResult) -> bool {
    match result {
        OperationResult::Released => false,
        OperationResult::Succeeded
        | OperationResult::Failed
        | OperationResult::RolledBack
        | OperationResult::Quarantined => true,
    }
}

/// Sets the conditions, and tells what has just become so.
pub(super) fn conclude(
    policy: &GpuSharingPolicy,
    facts: &Facts<'_>,
    status: &mut GpuSharingPolicyStatus,
    now: Timestamp,
) -> Vec<Event> {
    let findings = [
        valid(facts),
        ready(facts, status),
        progressing(facts),
        window(facts),
        rollout(facts),
    ];
    let before = status.conditions.clone();
    for Finding {
        kind,
        verdict,
        reason,
        message,
    } in findings
    {
        let generation = policy.metadata.generation;
        conditions::set(
            &mut status.conditions,
            kind,
            verdict,
            reason,
            message,
            generation,
            now,
        );
    }
    events(&before, &status.conditions)
}

fn valid(facts: &Facts<'_>) -> Finding {
    let kind = "Valid";
    match facts.problem {
        None => Finding {
            kind,
            verdict: Verdict::True,
            reason: "Valid",
            message: String::new(),
        },
        Some(problem) => Finding {
            kind,
            verdict: Verdict::False,
            reason: problem.reason.as_str(),
            message: format!("{problem}; nothing is changed on any node until this is put right"),
        },
    }
}

fn ready(facts: &Facts<'_>, status: &GpuSharingPolicyStatus) -> Finding {
    let totals = status.nodes;
    let (verdict, reason, message) = match facts.problem {
        Some(_) => (
            Verdict::False,
            "Invalid",
            "see the condition Valid".to_owned(),
        ),
        None if totals.matched == 0 => (
            Verdict::True,
            "NoNodes",
            "no node with GPUs is selected".to_owned(),
        ),
        None if totals.matched == totals.in_sync => (
            Verdict::True,
            "InSync",
            format!("all {} nodes are as the policy says", totals.matched),
        ),
        None => {
            let message = format!(
                "{} of {} nodes are as the policy says",
                totals.in_sync, totals.matched
            );
            (Verdict::False, "NodesDiffer", message)
        }
    };
    Finding {
        kind: "Ready",
        verdict,
        reason,
        message,
    }
}

fn progressing(facts: &Facts<'_>) -> Finding {
    let busy = |node: &&&NodeSummary| node.is_in_flight() && node.phase != Phase::Quarantined;
    let names: Vec<_> = facts
        .nodes
        .iter()
        .filter(busy)
        .map(|node| node.name.as_str())
        .collect();
    let (reason, message) = match names.as_slice() {
        [] => ("Idle", String::new()),
        [one] => ("NodesInMaintenance", format!("{one} is being changed")),
        [.., _] => (
            "NodesInMaintenance",
            format!("{} are being changed", names.join(", ")),
        ),
    };
    Finding {
        kind: "Progressing",
        verdict: Verdict::from(!names.is_empty()),
        reason,
        message,
    }
}

fn window(facts: &Facts<'_>) -> Finding {
    let kind = "WindowOpen";
    let (reason, message) = match facts.window {
        None => (
            "Invalid",
            "the windows cannot be read: see the condition Valid".to_owned(),
        ),
        Some(WindowState::Always) => ("Always", "changes may begin at any time".to_owned()),
        Some(WindowState::Open { end, .. }) => ("Open", format!("changes may begin until {end}")),
        Some(WindowState::Closed { next, blackout }) => {
            let next = match next {
                Some((start, _)) => format!("the next window opens at {start}"),
                None => "no window will ever open: change spec.maintenance.windows".to_owned(),
            };
            match blackout {
                Some(blackout) => ("Blackout", format!("{blackout}; {next}")),
                None => ("Closed", next),
            }
        }
    };
    let open = facts.window.is_some_and(WindowState::is_open);
    Finding {
        kind,
        verdict: Verdict::from(open),
        reason,
        message,
    }
}

fn rollout(facts: &Facts<'_>) -> Finding {
    let (reason, message) = match facts.halted {
        Some(why) => ("TooManyFailures", why.to_owned()),
        None => ("NotHalted", String::new()),
    };
    Finding {
        kind: "RolloutHalted",
        verdict: Verdict::from(facts.halted.is_some()),
        reason,
        message,
    }
}

/// What people should hear of: that the policy has become invalid, or that its roll-out has been stopped.
fn events(before: &[Condition], after: &[Condition]) -> Vec<Event> {
    [
        ("Valid", "False", "PolicyInvalid"),
        ("RolloutHalted", "True", "RolloutHalted"),
    ]
    .into_iter()
    .filter_map(|(kind, status, reason)| {
        let is = |conditions| {
            conditions::find(conditions, kind).filter(|it: &&Condition| it.status == status)
        };
        let (old, new) = (is(before), is(after)?);
        let same = old.is_some_and(|old| old.message == new.message);
        (!same).then(|| Event {
            reason,
            kind: EventKind::Warning,
            message: new.message.clone(),
        })
    })
    .collect()
}
