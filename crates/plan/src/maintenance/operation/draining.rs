//! Pods on the affected devices are being evicted.
//!
//! Drained means observed empty, by the API server and by the node's agent, for the quiet period. Nothing else does: not
//! an accepted eviction, and not a list that was empty once.

mod evict;
mod report;
mod timeout;

use std::collections::BTreeSet;

use crds::gpu_node::{DrainReport, Outcome, Phase};
use jiff::Timestamp;

use super::super::turn::Turn;
use super::super::{promises, survey};
use super::{evacuation, give_up, guards, repartitioning, retarget};
use crate::conditions::Verdict;
use crate::drain::Assessment;
use crate::reason::Reason;
use crate::windows;

pub(super) fn enter(turn: &mut Turn) {
    let timeout = turn
        .status
        .snapshot
        .as_ref()
        .map(|snapshot| &snapshot.drain.timeout);
    let timeout = timeout.and_then(windows::duration).unwrap_or_default();
    turn.enter(Phase::Draining, Some(timeout));
    turn.status.drain = Some(DrainReport::default());
    let victims = turn
        .status
        .plan
        .as_ref()
        .map_or(0, |plan| plan.victims.len());
    turn.tell(
        Reason::DrainStarted,
        format!("{victims} pods must leave until {}", turn.deadline()),
    );
    timeout::announce(turn);
    turn.poll();
}

pub(super) fn look(turn: &mut Turn) {
    report::accepted(turn);
    if super::has_begun(turn) {
        return repartitioning::enter(turn);
    }
    if retarget::follows(turn) {
        return;
    }
    if let Some(why) = objection(turn) {
        return give_up(turn, why);
    }
    let Some(snapshot) = turn.status.snapshot.clone() else {
        return;
    };
    let affected = affected(turn);
    let seen = turn.seen;
    let assessment = survey::assess(seen, turn.limits, turn.now, &snapshot.drain, &affected);
    if is_hopeless(turn, &assessment) {
        return give_up(turn, guards::blocked(&assessment.blocked));
    }
    report::update(turn, &assessment);
    promises::tell(turn, &assessment);
    if is_complete(turn, &assessment) {
        return complete(turn);
    }
    if timeout::acts(turn, &snapshot.drain, &assessment) {
        return;
    }
    turn.wait_for(timeout::sentence(turn, &assessment));
    evict::due(turn, &snapshot.drain, &assessment);
    turn.poll();
}

/// Why the drain must not go on. One that no change follows asks nothing of the agent, needs no slot and no window, and goes on
/// while the node is meant to stay cordoned.
fn objection(turn: &mut Turn) -> Option<Outcome> {
    if evacuation::is_under_way(turn) {
        return evacuation::is_given_back(turn).or_else(|| guards::dry_run(turn));
    }
    guards::objection_when_cordoned(turn)
}

fn affected(turn: &Turn) -> BTreeSet<String> {
    if evacuation::is_under_way(turn) {
        return evacuation::devices(turn);
    }
    turn.change().affected
}

/// Somebody must leave who may not be made to, and nobody has been asked to leave yet: better none than some.
fn is_hopeless(turn: &Turn, assessment: &Assessment) -> bool {
    let evicted = turn
        .status
        .drain
        .as_ref()
        .is_some_and(|drain| !drain.evicted.is_empty());
    !assessment.blocked.is_empty() && !evicted && turn.seen.evictions.is_empty()
}

/// Empty for the quiet period, and the agent has looked since it became empty and sees nobody.
fn is_complete(turn: &Turn, assessment: &Assessment) -> bool {
    let Some(since) = quiet_since(turn) else {
        return false;
    };
    let is_quiet = turn.now.duration_since(since) >= turn.limits.quiet;
    if evacuation::is_under_way(turn) {
        // Nothing is changed afterwards, and the agent beats for changes only.
        return assessment.is_empty() && is_quiet;
    }
    assessment.is_clear() && is_quiet && turn.seen.agent_heard >= since
}

fn quiet_since(turn: &Turn) -> Option<Timestamp> {
    Some(turn.status.drain.as_ref()?.quiet_since.as_ref()?.0)
}

fn complete(turn: &mut Turn) {
    let evicted = turn
        .status
        .drain
        .as_ref()
        .map_or(0, |drain| drain.evicted.len());
    let message = format!("nobody who must leave is left; {evicted} pods were evicted");
    turn.condition(
        "Drained",
        Verdict::True,
        Reason::DrainCompleted,
        message.clone(),
    );
    turn.condition(
        "DrainBlocked",
        Verdict::False,
        Reason::DrainCompleted,
        message.clone(),
    );
    turn.tell(Reason::DrainCompleted, message);
    if evacuation::is_under_way(turn) {
        return evacuation::end(turn, None);
    }
    repartitioning::enter(turn);
}
