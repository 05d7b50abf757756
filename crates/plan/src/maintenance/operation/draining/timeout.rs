//! A drain that takes longer than the policy allows.

use crds::gpu_node::{OperationResult, Outcome};
use crds::policy::{DrainScope, DrainSettings, OnDrainTimeout};

use super::super::super::survey;
use super::super::super::turn::Turn;
use super::super::{evacuation, give_up, is_second_try, keep_cordoned, outcome};
use super::evict;
use crate::conditions;
use crate::drain::Assessment;
use crate::pod::PodView;
use crate::reason::Reason;
use crate::windows;

/// What is waited for, until when, and what happens then.
pub(super) fn sentence(turn: &Turn, assessment: &Assessment) -> String {
    let drain = turn
        .status
        .snapshot
        .as_ref()
        .map(|snapshot| &snapshot.drain);
    let whose = match drain.map(|drain| drain.scope).unwrap_or_default() {
        DrainScope::AffectedDevices => "pods on the affected devices",
        DrainScope::GpuPods => "pods with GPUs",
        DrainScope::Node => "all pods",
    };
    let released = given_up(turn);
    let then = match drain.map(|drain| drain.on_timeout).unwrap_or_default() {
        OnDrainTimeout::Release => released.to_owned(),
        OnDrainTimeout::KeepCordoned => {
            "then the node stays cordoned until a person decides".to_owned()
        }
        OnDrainTimeout::Force if turn.seen.may_force => {
            "then they are deleted past their disruption budgets".to_owned()
        }
        OnDrainTimeout::Force => format!("{released}, because {NO_RIGHT}"),
    };
    let (deadline, last) = (turn.deadline(), last(assessment));
    format!("{whose} to leave until {deadline}; {then}{last}")
}

/// What becomes of the node if the drain is given up.
fn given_up(turn: &Turn) -> &'static str {
    if is_second_try(turn) {
        "then the node is quarantined again"
    } else if evacuation::is_under_way(turn) {
        "then the node is quarantined with them on it"
    } else {
        "then the node is given back and tried again later"
    }
}

/// Says at the beginning what will be said at each look, and what will not be done.
pub(super) fn announce(turn: &mut Turn) {
    turn.wait_for(sentence(turn, &Assessment::default()));
    let drain = turn
        .status
        .snapshot
        .as_ref()
        .map(|snapshot| &snapshot.drain);
    let wants_force = drain.is_some_and(|drain| drain.on_timeout == OnDrainTimeout::Force);
    if wants_force && !turn.seen.may_force {
        turn.warn(Reason::ForceNotAllowed, NO_RIGHT);
    }
}

/// Why a policy that says `onTimeout: Force` is not followed.
const NO_RIGHT: &str = "the policy says onTimeout: Force, and the operator may not delete pods: install the chart with operator.allowForce=true, or choose another onTimeout";

/// Who is not evicted yet, and why.
fn last(assessment: &Assessment) -> String {
    let names: Vec<_> = assessment.held_back().map(PodView::name).collect();
    if names.is_empty() {
        return String::new();
    }
    let names = survey::some(&names, Clone::clone);
    format!("; system-critical pods are asked to leave when the others are gone: {names}")
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
        OnDrainTimeout::Force if turn.seen.may_force => force(turn, settings, assessment),
        OnDrainTimeout::Force if turn.is_overdue() => {
            let mut why = too_long(turn, assessment);
            why.message = format!("{}. It is not forced, because {NO_RIGHT}", why.message);
            turn.warn(Reason::DrainTimedOut, why.message.clone());
            give_up(turn, why);
            true
        }
        OnDrainTimeout::Release | OnDrainTimeout::KeepCordoned | OnDrainTimeout::Force => false,
    }
}

fn too_long(turn: &Turn, assessment: &Assessment) -> Outcome {
    let blocked = turn.status.drain.iter().flat_map(|drain| &drain.blocked);
    let blocked: Vec<_> = blocked.chain(&assessment.processes).collect();
    let is_explained = |name: &String| blocked.iter().any(|block| block.pod == *name);
    let held_back: Vec<_> = assessment.held_back().map(PodView::name).collect();
    let rest = assessment.remaining();
    let rest = rest
        .iter()
        .map(|pod| format!("{}/{}", pod.namespace, pod.name))
        .chain(assessment.strangers.iter().cloned())
        .filter(|name| !is_explained(name) && !held_back.contains(name));
    let mut why: Vec<String> = blocked
        .iter()
        .map(|block| format!("{}: {}", block.pod, block.message))
        .collect();
    why.extend(rest.map(|pod| format!("{pod} is still there")));
    why.extend(held_back.iter().map(|pod| {
        format!("{pod} is system-critical and was not asked to leave before the others were gone")
    }));
    if why.is_empty() {
        why.push("the last pod left too late to be sure that nobody is there".to_owned());
    }
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
        let (deadline, then) = (turn.deadline(), given_up(turn));
        turn.wait_for(format!(
            "pods that are being deleted past their disruption budgets to end until {deadline}; {then}"
        ));
    } else if turn.is_overdue() {
        let why = too_long(turn, assessment);
        give_up(turn, why);
    } else {
        evict::by_force(turn, settings, assessment);
    }
    turn.poll();
    true
}
