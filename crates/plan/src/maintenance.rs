//! One step of one node's maintenance: what was observed → the status to write and the effects to perform.
//!
//! ```text
//!          drift           slot            agent Ready       node marked        jobs over          nobody left, quiet
//!  InSync ───────► Pending ─────► Preparing ──────► Cordoning ───► WaitingJobs ───► Draining ───────► Repartitioning
//!    ▲               ▲               │                  │               │               │                │      │
//!    │               └─ Releasing ◄──┴──────────────────┴───────────────┴───────────────┴──── not begun ─┘      │
//!    │                 (uncordoned if the cordon is ours)                                                       │
//!    └── Uncordoning ◄── Validating ◄── target reached ─────────────────────────────────────────────────────────┤
//!                            ▲  └─ too late ─► Quarantined ◄── failed ── RollingBack ◄── a step failed ─────────┘
//!                            └───────────────── layout from before is back ──┘
//! ```
//!
//! The point of no return is the agent's word `Destroying` in `status.agent.operation`. Before it every failure goes
//! back to how the node was; after it there are three ways out: the target, the layout from before, a person.
//!
//! How to drive it: read everything afresh, call [`step()`], perform the effects in order and stop at the first that
//! fails, write the status if it differs from the one read (compare-and-swap on the `GpuNode`), emit the events once
//! the status is written, and look again: at once if there were effects, otherwise when [`Step::next`] says. A phase is
//! entered in one step and acts in later ones, so a crash between any two writes is harmless: the next look does again
//! what has not happened, and nothing twice.

mod clients;
mod clock;
mod leaving;
mod limits;
mod mend;
mod mps;
mod neighbours;
mod observed;
mod operation;
mod ownership;
mod plugin;
mod promises;
mod publication;
mod pulse;
mod refresh;
mod report;
mod settled;
mod step;
mod survey;
#[cfg(test)]
mod tests;
mod turn;
mod waiting;

pub use leaving::{Leaving, leaving};
pub use limits::Limits;
pub use mps::wants_pods;
pub use observed::{Observed, PolicyView};
pub use ownership::orphaned;
pub use plugin::wants_diagnosis;
pub use pulse::Pulse;
pub use refresh::Refresh;
pub use step::{Effect, Event, EventKind, Next, PodEvent, Step};
pub use waiting::Waiting;

pub use crate::drain::EvictionMemory;

use crds::GpuNodeSpec;
use crds::gpu_node::{MaintenanceStatus, Phase};
use jiff::Timestamp;
use turn::Turn;

use crate::conditions;
use crate::node::NodeView;

/// One step of one node: what to write, what to do and what to tell, from what is seen. On a world in which nothing has
/// changed since its own last step it answers with the status that it was given and with no effects.
pub fn step(observed: &Observed, now: Timestamp, limits: &Limits) -> Step {
    let Some(node) = observed.node else {
        return nothing(MaintenanceStatus::default());
    };
    match &observed.maintenance.node_uid {
        Some(uid) if *uid != node.uid => start_afresh(observed, node),
        Some(_) | None => look(observed, node, now, limits),
    }
}

fn look(observed: &Observed, node: &NodeView, now: Timestamp, limits: &Limits) -> Step {
    let mut turn = Turn::new(observed, node, now, limits);
    turn.status.node_uid = Some(node.uid.clone());
    clock::set_right(&mut turn);
    mend::status(&mut turn);
    mps::tell(&mut turn);
    if clients::resumes(&mut turn) {
        return turn.done();
    }
    match (turn.status.phase, turn.is_operating()) {
        (Phase::Validating, false) => settled::config_only(&mut turn),
        (_, true) => operation::look(&mut turn),
        (_, false) => settled::look(&mut turn),
    }
    mps::update(&mut turn);
    report::update(&mut turn);
    turn.done()
}

fn nothing(status: MaintenanceStatus) -> Step {
    Step {
        status,
        effects: Vec::new(),
        events: Vec::new(),
        pod_events: Vec::new(),
        next: Next::Watch,
    }
}

/// The node was deleted and made anew: what was under way on the old one is over, and the agent must hear of it first.
fn start_afresh(observed: &Observed, node: &NodeView) -> Step {
    if *observed.spec == GpuNodeSpec::default() {
        return nothing(MaintenanceStatus {
            node_uid: Some(node.uid.clone()),
            ..MaintenanceStatus::default()
        });
    }
    let mut status = observed.maintenance.clone();
    conditions::observe(&mut status.conditions, observed.generation);
    Step {
        effects: vec![Effect::Ask(GpuNodeSpec::default())],
        ..nothing(status)
    }
}
