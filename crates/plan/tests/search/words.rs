//! Traces, for people.

use std::fmt::Write as _;

use crate::action::Action;
use crate::game::Game;
use crate::world::operator::{Deed, Leader, Visit};
use crate::world::{Place, State};

/// An action in a state.
pub fn action(game: &mut Game, state: &State, action: Action) -> String {
    match action {
        Action::Operator(leader, place, what) => {
            let about = host_doing(game, state, leader, place);
            format!("operator {leader:?} {what:?} on {}{about}", place.name())
        }
        Action::Admits(leader) => format!("policy controller {leader:?} admits"),
        Action::Caches(leader, place) => format!("cache {leader:?} hears of {}", place.name()),
        Action::Agent(place, what) => format!("agent of {} {what:?}", place.name()),
        Action::Cluster(place, what) => format!("{}: {what:?}", place.name()),
        Action::Nvidia(place, what) => format!("{}: NVIDIA's {what:?}", place.name()),
        Action::Clock(place, what) => format!("{}: time passes: {what:?}", place.name()),
        Action::Person(place, what) => format!("a person {what:?} {}", place.name()),
        Action::Policy(what) => format!("the policy: {what:?}"),
    }
}

/// What the operator is about to do.
fn host_doing(game: &Game, state: &State, leader: Leader, place: Place) -> String {
    let host = game.host(state, place).expect("a node that there is");
    let Visit::Acts { decision, done, .. } = host.visits[leader.index()] else {
        let phase = game.phase(&host);
        return phase.map_or_else(String::new, |phase| format!(", which is in {phase:?}"));
    };
    let decision = game.decisions.get(decision);
    match decision.deeds.get(usize::from(done)) {
        Some(Deed::Ask(spec)) => {
            let operation = &game.specs.get(*spec).operation;
            format!(": asks the agent for {operation:?}")
        }
        Some(deed) => format!(": {deed:?}"),
        None => decision.status.map_or_else(String::new, |status| {
            let status = game.statuses.get(status);
            let (phase, id) = (status.phase, status.operation_id);
            format!(": writes the status: {phase:?}, operation {id}")
        }),
    }
}

/// A state.
pub fn state(game: &Game, state: &State) -> String {
    let mut text = format!("  policy: {:?}\n  left: {:?}\n", state.policy, state.left);
    for (place, host) in game.each(state) {
        let name = place.name();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {name}: {:?}", host.node);
        let _ = writeln!(text, "    machine: {:?}", host.machine);
        let _ = writeln!(text, "    pods: {:?}, NVIDIA's: {:?}", host.pods, host.runs);
        let _ = writeln!(text, "    visits: {:?} {:?}", host.visits, host.memories);
        let _ = writeln!(
            text,
            "    admin keeps it cordoned: {}, lags: {}",
            host.admin_keeps_it_cordoned, host.scheduler_lags
        );
        let Some(gpu_node) = host.gpu_node else {
            continue;
        };
        let _ = writeln!(
            text,
            "    agent: {:?}, owner {}",
            gpu_node.report, gpu_node.owner
        );
        let _ = writeln!(text, "    spec: {:?}", game.specs.get(gpu_node.spec));
        let _ = writeln!(text, "    status: {:?}", game.statuses.get(gpu_node.status));
    }
    text
}
