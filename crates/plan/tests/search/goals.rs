//! What must always stay possible, without anybody's ill will.

use crds::gpu_node::Phase;

use crate::game::Game;
use crate::world::host::Host;
use crate::world::node::Node;
use crate::world::operator::Visit;
use crate::world::{Place, State};

/// Every operation comes to an end, and leaves nothing behind (L1, L2, L4).
pub const SETTLED: &str = "a state in which every node has settled";
/// Every node comes to be what its policy says (L3).
pub const DONE: &str = "a state in which every node is as the policy says";

/// Whether a goal is reached.
pub fn is_reached(game: &Game, goal: &'static str, state: &State) -> bool {
    game.each(state).all(|(place, host)| match goal {
        SETTLED => is_settled(game, state, place, &host),
        DONE => is_done(game, state, &host),
        _ => false,
    })
}

fn is_settled(game: &Game, state: &State, place: Place, host: &Host) -> bool {
    let slot = state.policy.slots[place.index()];
    let Some(node) = &host.node else {
        return slot.is_none() && host.gpu_node.is_none_or(|it| it.owner == 0);
    };
    let is_busy = host
        .machine
        .task
        .is_some_and(|task| task.stage.is_under_way());
    let Some(status) = game.status(host).filter(|_| is_idle(host) && !is_busy) else {
        return false;
    };
    match status.phase {
        Phase::Quarantined => node.marker != 0 && node.tainted,
        Phase::Unmanaged | Phase::InSync | Phase::Pending => {
            game.asked(host).is_none() && slot.is_none() && is_given_back(host, node)
        }
        Phase::Preparing
        | Phase::Cordoning
        | Phase::WaitingJobs
        | Phase::Draining
        | Phase::Repartitioning
        | Phase::RollingBack
        | Phase::Validating
        | Phase::Uncordoning
        | Phase::Releasing => false,
    }
}

fn is_idle(host: &Host) -> bool {
    host.visits.iter().all(|visit| *visit == Visit::Idle)
}

/// Nothing of ours is left on the node; it is cordoned if and only if an admin wants it to be.
fn is_given_back(host: &Host, node: &Node) -> bool {
    let is_marked = node.marker != 0 || node.tainted;
    !is_marked && node.unschedulable == host.admin_keeps_it_cordoned
}

fn is_done(game: &Game, state: &State, host: &Host) -> bool {
    let (Some(node), Some(status)) = (&host.node, game.status(host)) else {
        return host.node.is_none();
    };
    let is_so = if state.policy.exists && host.is_selected {
        let want = state.policy.want;
        let has = host.machine.slices;
        status.phase == Phase::InSync && has == want && node.advertised == want
    } else {
        status.phase == Phase::Unmanaged
    };
    is_so && is_idle(host) && is_given_back(host, node)
}
