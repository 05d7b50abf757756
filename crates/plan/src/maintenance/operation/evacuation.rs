//! The MPS daemon of a node was given up, and the policy wants its pods evicted: nobody serves them any more.
//!
//! It is a drain that no change follows. However it ends, the node stays cordoned as if it had been quarantined at once; so the
//! outcome is known from the beginning, and it is how such a drain is told from others.

use std::collections::BTreeSet;

use crds::gpu_node::{ChangeClass, OperationPlan, OperationResult, Outcome, Phase};
use crds::policy::DrainScope;

use super::super::turn::Turn;
use super::super::{mps, survey};
use super::{draining, quarantined, stay_cordoned};
use crate::change::Change;
use crate::conditions::Verdict;
use crate::reason::Reason;

/// Enters phase `Draining`, on a node that has been cordoned for it, to end with this outcome.
pub(in super::super) fn begin(turn: &mut Turn, why: Outcome) {
    if let Some(snapshot) = &mut turn.status.snapshot {
        snapshot.drain.scope = DrainScope::AffectedDevices;
    }
    turn.status.plan = Some(plan(turn));
    let message = why.message.clone();
    for kind in ["MaintenancePending", "Synced", "Drained"] {
        let reason = Reason::MpsCrashLooping;
        turn.condition(kind, Verdict::False, reason, message.clone());
    }
    turn.status.outcome = Some(why);
    draining::enter(turn);
}

fn plan(turn: &Turn) -> OperationPlan {
    let (affected, settings) = (devices(turn), turn.status.snapshot.as_ref());
    let settings = settings.map(|it| it.drain.clone()).unwrap_or_default();
    let (seen, limits) = (turn.seen, turn.limits);
    let assessment = survey::assess(seen, limits, turn.now, &settings, &affected);
    let nothing = Change {
        class: ChangeClass::None,
        gpus: Vec::new(),
        affected: affected.clone(),
        emptied: Vec::new(),
    };
    survey::plan(&nothing, &assessment)
}

/// Whether the drain under way is one.
pub(super) fn is_under_way(turn: &Turn) -> bool {
    let outcome = turn.status.outcome.as_ref();
    let is_crash = outcome.is_some_and(|outcome| {
        outcome.result == OperationResult::Failed
            && outcome.reason == Reason::MpsCrashLooping.as_str()
    });
    is_crash && turn.status.phase == Phase::Draining
}

/// The devices of the daemon.
pub(super) fn devices(turn: &Turn) -> BTreeSet<String> {
    mps::served(turn).map(|gpu| gpu.uuid.clone()).collect()
}

/// Why the node is given back after all, if so: what also ends a quarantine.
pub(super) fn is_given_back(turn: &mut Turn) -> Option<Outcome> {
    let why = quarantined::release(turn)?;
    turn.status.outcome = None;
    Some(why)
}

/// The drain is over; `rest`: what it did not come to.
pub(super) fn end(turn: &mut Turn, rest: Option<&Outcome>) {
    let Some(mut why) = turn.status.outcome.take() else {
        return;
    };
    if let Some(rest) = rest {
        why.message = format!(
            "{}; not all of its pods were evicted: {}",
            why.message, rest.message
        );
    }
    stay_cordoned(turn, &why);
    turn.status.outcome = Some(why);
}
