//! NVIDIA's GPU clients keep every GPU open, and the mode of a GPU changes only while nobody does: they are paused right
//! before the agent is told to go ahead, and resumed whatever becomes of it.
//!
//! That they are paused is seen on the node and nowhere else, so no way out of an operation has to think of them: each look
//! at a node that is not being repartitioned resumes them before it does anything else.

use std::collections::BTreeMap;

use crds::gpu_node::Phase;
use crds::names::GPU_CLIENT_PAUSED;

use super::turn::Turn;
use super::{Effect, Event, EventKind};
use crate::node::NodeView;
use crate::pod::PodView;
use crate::reason::Reason;

/// Whether nothing of NVIDIA's has a GPU open that needs to be closed. If not, sees to it, and the next look asks again.
pub(super) fn are_away(turn: &mut Turn) -> bool {
    let mut gpus = turn.change().gpus.into_iter();
    if !gpus.any(|gpu| gpu.from.enabled != gpu.to.enabled) {
        return true;
    }
    let running = &turn.node.neighbours.clients.running;
    if !running.is_empty() {
        let names: Vec<_> = running.iter().map(String::as_str).collect();
        let message = format!(
            "NVIDIA's GPU clients are paused while the mode of GPUs changes: {}",
            names.join(", ")
        );
        let labels = all(running, GPU_CLIENT_PAUSED);
        turn.effect(Effect::Label(labels));
        turn.tell(Reason::GpuClientsPaused, message);
        return false;
    }
    let Some(pod) = remaining(turn) else {
        return true;
    };
    let deadline = turn.deadline();
    turn.wait_for(format!(
        "pod {pod} to end, which keeps the GPUs open, until {deadline}; then the node is given back with nothing changed"
    ));
    turn.poll();
    false
}

/// A pod of a client that is not to run, whoever says so: it still has the GPUs open.
pub(super) fn remaining(turn: &Turn) -> Option<String> {
    let running = &turn.node.neighbours.clients.running;
    let is_to_go = |pod: &&PodView| {
        !pod.finished && !pod.client_of.is_empty() && pod.client_of.is_disjoint(running)
    };
    turn.seen.pods.iter().find(is_to_go).map(PodView::name)
}

/// Resumes clients on a node that is not being repartitioned; whether that is all that this look does.
pub(super) fn resumes(turn: &mut Turn) -> bool {
    let repartitions = [Phase::Repartitioning, Phase::RollingBack];
    if turn.is_operating() && repartitions.contains(&turn.status.phase) {
        return false;
    }
    let Some((effect, event)) = resume(turn.node) else {
        return false;
    };
    turn.effect(effect);
    turn.tell(event.reason, event.message);
    true
}

/// What lets the GPU clients run again that the operator has paused on a node, if there are any.
pub(super) fn resume(node: &NodeView) -> Option<(Effect, Event)> {
    let paused = &node.neighbours.clients.paused;
    let event = Event {
        reason: Reason::GpuClientsResumed,
        kind: EventKind::Normal,
        message: "NVIDIA's GPU clients run again".to_owned(),
    };
    (!paused.is_empty()).then(|| (Effect::Label(all(paused, "true")), event))
}

fn all<'a>(
    labels: impl IntoIterator<Item = &'a String>,
    value: &str,
) -> BTreeMap<String, Option<String>> {
    let labels = labels.into_iter();
    labels
        .map(|label| (label.clone(), Some(value.to_owned())))
        .collect()
}
