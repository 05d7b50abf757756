//! The policy's conditions.

use crds::GpuSharingPolicy;
use crds::gpu_node::Phase;
use crds::policy::GpuSharingPolicyStatus;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::NodeSummary;
use super::halt::Halt;
use crate::conditions::{self, Verdict};
use crate::maintenance::{Event, EventKind};
use crate::reason::Reason;
use crate::resolve::{Problem, Warning};
use crate::windows::WindowState;

/// All that the conditions go by.
pub(super) struct Facts<'a> {
    pub(super) nodes: &'a [&'a NodeSummary],
    pub(super) problem: Option<&'a Problem>,
    pub(super) warnings: &'a [Warning],
    pub(super) halted: Option<&'a Halt>,
    pub(super) window: Option<&'a WindowState>,
}

/// What a condition says: its type, whether it holds, a word and a sentence.
struct Finding {
    kind: &'static str,
    verdict: Verdict,
    reason: Reason,
    message: String,
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
        conditions::set(&mut status.conditions, kind, verdict, reason, message, now);
    }
    conditions::observe(&mut status.conditions, policy.metadata.generation);
    events(&before, &status.conditions)
}

fn valid(facts: &Facts<'_>) -> Finding {
    let kind = "Valid";
    match (facts.problem, facts.warnings) {
        (None, []) => Finding {
            kind,
            verdict: Verdict::True,
            reason: Reason::Valid,
            message: "the policy can be followed".to_owned(),
        },
        (None, warnings) => Finding {
            kind,
            verdict: Verdict::True,
            reason: Reason::ValidWithWarnings,
            message: format!("the policy can be followed, but {}", all(warnings)),
        },
        (Some(problem), _) => Finding {
            kind,
            verdict: Verdict::False,
            reason: problem.reason.reason(),
            message: format!("{problem}; nothing is changed on any node until this is put right"),
        },
    }
}

fn all(warnings: &[Warning]) -> String {
    let each: Vec<_> = warnings.iter().map(ToString::to_string).collect();
    each.join("; ")
}

fn ready(facts: &Facts<'_>, status: &GpuSharingPolicyStatus) -> Finding {
    let totals = status.nodes;
    let (verdict, reason, message) = match facts.problem {
        Some(_) => (
            Verdict::False,
            Reason::Invalid,
            "see the condition Valid".to_owned(),
        ),
        None if totals.matched == 0 => (
            Verdict::True,
            Reason::NoNodes,
            "no node with GPUs is selected, or other policies win them: compare spec.nodeSelector with the labels of the nodes \
             in kubectl get nodes --show-labels, and see kubectl get gpunodes"
                .to_owned(),
        ),
        None if totals.matched == totals.in_sync => (
            Verdict::True,
            Reason::InSync,
            format!("all {} nodes are as the policy says", totals.matched),
        ),
        None => {
            let message = format!(
                "{} of {} nodes are as the policy says",
                totals.in_sync, totals.matched
            );
            (Verdict::False, Reason::NodesDiffer, message)
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
        [] => (Reason::Idle, "no node is being changed".to_owned()),
        [one] => (
            Reason::NodesInMaintenance,
            format!("{one} is being changed"),
        ),
        [.., _] => (
            Reason::NodesInMaintenance,
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
            Reason::Invalid,
            "the windows cannot be read: see the condition Valid".to_owned(),
        ),
        Some(WindowState::Always) => (Reason::Always, "changes may begin at any time".to_owned()),
        Some(WindowState::Open { end, .. }) => {
            (Reason::Open, format!("changes may begin until {end}"))
        }
        Some(WindowState::Closed { next, blackout }) => {
            let why = if blackout.is_some() {
                Reason::Blackout
            } else {
                Reason::Closed
            };
            let (reason, next) = match next {
                Some((start, _)) => (why, format!("the next window opens at {start}")),
                None => (
                    Reason::NeverOpens,
                    "no window will ever open: change spec.maintenance.windows".to_owned(),
                ),
            };
            match blackout {
                Some(blackout) => (reason, format!("{blackout}; {next}")),
                None => (reason, next),
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
        Some(why) => (why.reason, why.message.clone()),
        None => (Reason::NotHalted, "operations may begin".to_owned()),
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
        ("Valid", "False", Reason::PolicyInvalid),
        ("RolloutHalted", "True", Reason::RolloutHalted),
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
