//! Pods that were promised to finish are waited for.

use crds::gpu_node::Phase;
use crds::policy::CompletionWait;

use super::super::survey;
use super::super::turn::Turn;
use super::{draining, give_up, guards, retarget};
use crate::drain;
use crate::pod::{Controller, PodView};
use crate::reason::Reason;
use crate::windows;

/// Whether the policy waits for pods that run on the node.
pub(super) fn are_waited_for(turn: &Turn) -> bool {
    rule(turn).is_some_and(|rule| !running(turn, rule).is_empty())
}

fn rule<'a>(turn: &'a Turn) -> Option<&'a CompletionWait> {
    turn.status
        .snapshot
        .as_ref()?
        .drain
        .wait_for_completion
        .as_ref()
}

/// A `DaemonSet`'s pod, or a static one, never finishes: nobody waits for those.
fn running(turn: &Turn, rule: &CompletionWait) -> Vec<String> {
    let finishes = |pod: &&PodView| match pod.controller {
        Controller::DaemonSet | Controller::Kubelet => false,
        Controller::None | Controller::Other(_) => true,
    };
    let pods = turn.seen.pods.iter().filter(finishes);
    let running = pods.filter(|pod| !pod.finished && drain::selects(&rule.pod_selector, pod));
    let mut names: Vec<_> = running.map(PodView::name).collect();
    names.sort();
    names
}

pub(super) fn enter(turn: &mut Turn) {
    let Some(rule) = rule(turn).cloned() else {
        return draining::enter(turn);
    };
    let names = running(turn, &rule);
    let timeout = windows::duration(&rule.timeout).unwrap_or_default();
    turn.enter(Phase::WaitingJobs, Some(timeout));
    let deadline = turn.deadline();
    let pods = survey::some(&names, Clone::clone);
    turn.tell(
        Reason::WaitingForJobs,
        format!("waiting for {pods} to finish until {deadline}"),
    );
    turn.wait_for(format!(
        "{pods} to finish until {deadline}; then the drain begins"
    ));
    turn.poll();
}

pub(super) fn look(turn: &mut Turn) {
    if super::has_begun(turn) {
        return super::repartitioning::enter(turn);
    }
    if retarget::follows(turn) {
        return;
    }
    if let Some(why) = guards::objection_when_cordoned(turn) {
        return give_up(turn, why);
    }
    if turn.is_overdue() || !are_waited_for(turn) {
        return draining::enter(turn);
    }
    turn.poll();
}
