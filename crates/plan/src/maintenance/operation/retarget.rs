//! The policy has come to ask for something else while the node is cordoned and nothing is destroyed yet: the next
//! operation takes over the cordon, instead of giving the node back for a moment.

use crds::gpu_node::{ChangeClass, OperationResult, OperationStage, Outcome};

use super::super::PolicyView;
use super::super::turn::Turn;
use super::super::{ownership, settled};
use super::{guards, history, outcome};
use crate::reason::Reason;
use crate::resolve::{Goal, Wish};

/// Whether the operation gives way to one for what is wanted by now, or is about to. Otherwise the objections to it are
/// to be heard as usual: whatever keeps a new operation from beginning gives the node back.
pub(super) fn follows(turn: &mut Turn) -> bool {
    let Some((policy, goal)) = wanted(turn) else {
        return false;
    };
    if is_unchecked(policy) && !turn.is_overdue() {
        turn.poll();
        return true;
    }
    if !may_begin(turn, policy, goal) {
        return false;
    }
    if has_gone_ahead(turn) {
        turn.ask_for(OperationStage::Abort);
        return true;
    }
    let message = "the policy asks for something else by now; the node stays cordoned for it";
    turn.tell(Reason::Retargeted, message);
    let why = outcome(OperationResult::Released, Reason::TargetChanged, message);
    succeed(turn, why, policy, goal);
    true
}

/// Ends the operation under way with this outcome, and begins the next on the node as it is.
pub(super) fn succeed(turn: &mut Turn, why: Outcome, policy: &PolicyView, goal: &Goal) {
    turn.account();
    history::enter(turn, why);
    settled::admit_again(turn, policy, goal);
}

/// What the same policy asks for by now, if that is another change of the GPUs. Another policy has slots of its own.
fn wanted<'a>(turn: &Turn<'a>) -> Option<(&'a PolicyView<'a>, &'a Goal)> {
    let policy = turn.seen.policy?;
    let Wish::Goal(goal) = turn.seen.wish else {
        return None;
    };
    let is_its_own = turn.status.snapshot.as_ref()?.policy_uid == goal.policy.uid;
    let is_due = goal.change.class > ChangeClass::ConfigOnly
        && is_its_own
        && guards::is_another(turn, goal)
        && ownership::holds(turn.node);
    is_due.then_some((policy, goal))
}

/// The policy controller has not come to this generation yet: in a moment it will have. Nobody is evicted meanwhile.
const fn is_unchecked(policy: &PolicyView) -> bool {
    !policy.valid && policy.problem.is_none()
}

/// The same as for a first operation, a slot excepted: the node is out of service already. With a canary, it is for the
/// canary to go first.
fn may_begin(turn: &Turn, policy: &PolicyView, goal: &Goal) -> bool {
    let rules = &policy.spec.maintenance;
    rules.canary.is_none() && !settled::is_held_back(turn, policy, goal)
}

/// The agent may begin in this very moment. It is told not to, and the same compare-and-swap decides who wins.
fn has_gone_ahead(turn: &Turn) -> bool {
    let asked = turn.asked().map(|asked| asked.stage);
    asked == Some(OperationStage::Proceed)
}
