//! Moments in a status that lie ahead: the clock was wrong when they were written, and has been set right since.
//!
//! Every wait is short, but a wait until a moment is not: an operator whose clock was a year ahead for a second would leave
//! deadlines and attempts behind for which the next one waits a year.

use crds::gpu_node::Phase;
use jiff::SignedDuration;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, Time};

use super::turn::Turn;
use crate::conditions;

/// The clocks of two operators that take over from each other may differ by so much.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(1);

/// What lies further ahead than any wait of the product's begins now.
pub(super) fn set_right(turn: &mut Turn) {
    set_phase_right(turn);
    set_attempt_right(turn);
    set_history_right(turn);
}

/// A phase that has not begun yet begins now, and lasts as long as it was to.
fn set_phase_right(turn: &mut Turn) {
    let (now, status) = (turn.now, &mut turn.status);
    if let Some(drain) = &mut status.drain {
        drain.quiet_since.take_if(|since| since.0 > now);
    }
    let begins = status.phase_since.as_ref();
    let ahead = begins.map_or(SignedDuration::ZERO, |since| since.0.duration_since(now));
    if ahead > TOLERANCE {
        let now = conditions::microseconds(now);
        let is_ahead = |moment: &mut MicroTime| moment.0 > now.0;
        if status.started_at.take_if(is_ahead).is_some() {
            status.started_at = Some(now.clone());
        }
        status.phase_since = Some(now);
        bring_forward(turn, ahead);
    }
    // These two are given another deadline as often as it takes.
    let is_given_back = matches!(turn.status.phase, Phase::Uncordoning | Phase::Releasing);
    let latest = turn.after(turn.limits.cordon + TOLERANCE);
    let is_far = |deadline: &mut Time| is_given_back && deadline.0 > latest;
    turn.status.deadline.take_if(is_far);
}

/// The deadline comes so much earlier, also in the sentence that names it.
fn bring_forward(turn: &mut Turn, by: SignedDuration) {
    let Some(deadline) = turn.status.deadline.as_ref() else {
        return;
    };
    let earlier = deadline.0.saturating_sub(by).unwrap_or(turn.now);
    let before = turn.deadline();
    turn.status.deadline = Some(conditions::seconds(earlier));
    let after = turn.deadline();
    if let Some(sentence) = &mut turn.status.waiting_for {
        *sentence = sentence.replace(&before, &after);
    }
}

/// An operation that has not ended yet ended now: the canary's soak is counted from there.
fn set_history_right(turn: &mut Turn) {
    let latest = turn.after(TOLERANCE);
    let now = conditions::microseconds(turn.now);
    let history = turn.status.history.iter_mut();
    for entry in history.filter(|it| it.finished_at.0 > latest) {
        entry.finished_at = now.clone();
        if entry.started_at.0 > now.0 {
            entry.started_at = now.clone();
        }
    }
}

fn set_attempt_right(turn: &mut Turn) {
    let wait = turn.limits.wait_after(turn.status.attempts);
    let (next, latest) = (turn.after(wait), turn.after(wait + TOLERANCE));
    let attempt = &mut turn.status.next_attempt;
    if attempt.take_if(|moment| moment.0 > latest).is_some() {
        *attempt = Some(conditions::seconds(next));
    }
}
