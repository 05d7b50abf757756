//! Which nodes of a policy may be out of service now.
//!
//! ```text
//! node      a node as a policy sees it
//! slots     which slots are over, and who gets one: the lock that holds the budget
//! canary    the few that go first
//! halt      when nobody goes any more
//! verdict   the policy's conditions
//! totals    numbers, and why nodes wait
//! ```
//!
//! The slots in a policy's status are granted and taken back here and nowhere else, and written by compare-and-swap: at
//! every version of the status there are no more of them than the budget allows. A node takes up a slot by giving its
//! operation the slot's id; it is over when the node has settled again under that id.

mod canary;
mod halt;
mod node;
mod slots;
#[cfg(test)]
mod tests;
mod totals;
mod verdict;

use crds::GpuSharingPolicy;
use crds::policy::{GpuSharingPolicyStatus, MaintenanceInstance};
use jiff::Timestamp;

pub use node::{NodeSummary, Why};
pub use slots::{is_frozen, limit};

use crate::conditions::seconds;
use crate::maintenance::Event;
use crate::resolve::{Problem, check, warnings};
use crate::windows::{Schedule, WindowState};

/// What the policy controller writes and does.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The policy's whole status. Equal to the one read: do not write.
    pub status: GpuSharingPolicyStatus,
    /// What to tell people once it is written, on the policy.
    pub events: Vec<Event>,
    /// When to look again, if nothing is seen to change before. None: never.
    pub next: Option<Timestamp>,
}

/// A policy's status from the status that it has and from its nodes: those that it wins, and those that hold one of its
/// slots. The same arguments but for `now` give the same status, unless a window or blackout begins or ends in between or
/// a slot is granted.
pub fn report(policy: &GpuSharingPolicy, nodes: &[NodeSummary], now: Timestamp) -> Report {
    let before = policy.status.clone().unwrap_or_default();
    let mut nodes: Vec<_> = nodes.iter().collect();
    nodes.sort_by(|one, other| one.name.cmp(&other.name));
    let schedule = Schedule::parse(&policy.spec.maintenance).ok();
    let window = schedule.as_ref().map(|schedule| schedule.at(now));
    let problem = problem(policy, &nodes);
    let halted = halt::halted(policy, &nodes);
    let mut slots = slots::kept(&before.slots, &nodes);
    if let (None, None, Some(window)) = (&problem, &halted, &window) {
        slots::grant(policy, &nodes, window, &mut slots, now);
    }
    let mut status = GpuSharingPolicyStatus {
        observed_generation: policy.metadata.generation,
        conditions: before.conditions.clone(),
        nodes: totals::nodes(&nodes),
        gpus: totals::gpus(&nodes),
        slots,
        next_window: window
            .as_ref()
            .and_then(|window| next_window(policy, window)),
        waiting: totals::waiting(&nodes),
    };
    let facts = verdict::Facts {
        nodes: &nodes,
        problem: problem.as_ref(),
        warnings: &warnings(&policy.spec.maintenance, now),
        halted: halted.as_ref(),
        window: window.as_ref(),
    };
    let events = verdict::conclude(policy, &facts, &mut status, now);
    let boundary = schedule.and_then(|schedule| schedule.next_boundary(now));
    let soaked = canary::soaked(policy, &nodes, now);
    Report {
        status,
        events,
        next: boundary.into_iter().chain(soaked).min(),
    }
}

/// What makes the policy invalid: something in itself, or that no hardware of its kind can have it. Nothing is changed on
/// any node while it stands.
fn problem(policy: &GpuSharingPolicy, nodes: &[&NodeSummary]) -> Option<Problem> {
    let own = check(&policy.spec).into_iter().next();
    own.or_else(|| {
        let won = nodes.iter().filter(|node| node.won);
        let mut problems = won.filter_map(|node| Some((node, node.problem.as_ref()?)));
        let (node, problem) = problems.find(|(_, problem)| !problem.reason.is_of_the_node())?;
        Some(Problem {
            message: format!("{} (on node {})", problem.message, node.name),
            ..problem.clone()
        })
    })
}

/// Without windows there is none, also where a blackout is ahead.
fn next_window(policy: &GpuSharingPolicy, window: &WindowState) -> Option<MaintenanceInstance> {
    let (start, end) = match window {
        WindowState::Always => return None,
        WindowState::Open { start, end } => (*start, *end),
        WindowState::Closed { next, .. } => (*next)?,
    };
    (!policy.spec.maintenance.windows.is_empty()).then(|| MaintenanceInstance {
        start: seconds(start),
        end: seconds(end),
    })
}
