//! A drain that takes longer than the policy allows.

use crds::gpu_node::{OperationResult, Outcome};
use crds::policy::{DrainSettings, OnDrainTimeout};

use super::super::super::Effect;
use super::super::super::survey;
use super::super::super::turn::Turn;
use super::super::{give_up, keep_cordoned, outcome};
use super::evict;
use crate::conditions;
use crate::drain::Assessment;
use crate::reason::Reason;
use crate::windows;

/// What is waited for, until when, and what happens then.
pub(super) fn sentence(turn: &Turn) -> String {
    let rule = turn
        .status
        .snapshot
        .as_ref()
        .map(|snapshot| snapshot.drain.on_timeout);
    let then = match rule.unwrap_or_default() {
        OnDrainTimeout::Release => "then the node is given back and tried again later",
        OnDrainTimeout::KeepCordoned => "then the node stays cordoned until a person decides",
        OnDrainTimeout::Force => "then they are deleted past their disruption budgets",
    };
    format!(
        "pods on the affected devices to leave until {}; {then}",
        turn.deadline()
    )
}

/// Does what the policy says about a drain that takes too long. Whether it did.
pub(super) fn acts(turn: &mut Turn, settings: &DrainSettings, assessment: &Assessment) -> bool {
    match settings.on_timeout {
        OnDrainTimeout::Release if turn.is_overdue() => {
            let why = too_long(turn, assessment);
            turn.warn(Reason::DrainTimedOut, why.message.clone());
            give_up(turn, why);
            true
        }
        OnDrainTimeout::KeepCordoned if turn.is_overdue() => {
            let why = too_long(turn, assessment);
            turn.warn(Reason::DrainTimedOut, why.message.clone());
            keep_cordoned(turn, why);
            true
        }
        OnDrainTimeout::Release | OnDrainTimeout::KeepCordoned => false,
        OnDrainTimeout::Force => force(turn, settings, assessment),
    }
}

fn too_long(turn: &Turn, assessment: &Assessment) -> Outcome {
    let blocked = turn.status.drain.iter().flat_map(|drain| &drain.blocked);
    let mut why: Vec<String> = blocked
        .chain(&assessment.processes)
        .map(|block| format!("{}: {}", block.pod, block.message))
        .collect();
    let rest = assessment.remaining();
    let rest = rest
        .iter()
        .map(|pod| format!("{}/{}", pod.namespace, pod.name));
    let rest = rest.chain(assessment.strangers.iter().cloned());
    why.extend(rest.map(|pod| format!("{pod} is still there")));
    let message = format!(
        "the drain took too long: {}",
        survey::some(&why, Clone::clone)
    );
    outcome(OperationResult::Failed, Reason::DrainTimedOut, message)
}

/// From the deadline on, what remains is deleted. That has a deadline of its own: a pod may not end even so.
fn force(turn: &mut Turn, settings: &DrainSettings, assessment: &Assessment) -> bool {
    let timeout = windows::duration(&settings.timeout).unwrap_or_default();
    let since = turn
        .status
        .phase_since
        .as_ref()
        .map_or(turn.now, |since| since.0);
    let first = conditions::seconds(since.saturating_add(timeout).unwrap_or(since)).0;
    if turn.now < first {
        return false;
    }
    let is_first = turn
        .status
        .deadline
        .as_ref()
        .is_none_or(|deadline| deadline.0 <= first);
    if is_first {
        let last = first.saturating_add(turn.limits.force).unwrap_or(first);
        turn.status.deadline = Some(conditions::seconds(last));
        let why = too_long(turn, assessment).message;
        turn.warn(
            Reason::DrainTimedOut,
            format!("{why}. The policy says onTimeout: Force"),
        );
        turn.wait_for(format!("pods that are being deleted past their disruption budgets to end until {}; then the node is given back and tried again later", turn.deadline()));
    } else if turn.is_overdue() {
        let why = too_long(turn, assessment);
        give_up(turn, why);
    } else {
        delete(turn, settings, assessment);
    }
    turn.poll();
    true
}

fn delete(turn: &mut Turn, settings: &DrainSettings, assessment: &Assessment) {
    for pod in &assessment.victims {
        turn.effect(Effect::Delete {
            pod: pod.reference.clone(),
            grace: evict::grace(settings),
        });
    }
}
