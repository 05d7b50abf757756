//! What must always stay possible, without anybody's ill will.

use crds::gpu_node::Phase;

use crate::game::Game;
use crate::world::host::Host;
use crate::world::node::Node;
use crate::world::operator::Visit;
use crate::world::stack::Program;
use crate::world::{Place, State};

/// Every operation comes to an end, and leaves nothing behind (L1, L2, L4).
pub const SETTLED: &str = "a state in which every node has settled";
/// Every node comes to be what its policy says (L3).
pub const DONE: &str = "a state in which every node is as the policy says";

/// Every program of NVIDIA's that was paused runs again.
pub const RESUMED: &str = "a state in which no GPU client is paused";
/// MIG Manager has every node that the policy does not take from it.
pub const GIVEN_BACK: &str = "a state in which MIG Manager has what is not taken from it";

/// Whether a goal is reached.
pub fn is_reached(game: &Game, goal: &'static str, state: &State) -> bool {
    game.each(state).all(|(place, host)| match goal {
        SETTLED => is_settled(game, state, place, &host),
        DONE => is_done(game, state, &host),
        RESUMED => host.node.is_none_or(|node| !node.stack.is_paused()),
        GIVEN_BACK => host.node.is_none_or(|node| is_left(state, &host, &node)),
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
        Phase::Quarantined => node.marker != 0 && node.tainted && !node.stack.is_paused(),
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

/// What is MIG Manager's is taken only by a policy that says so.
fn is_left(state: &State, host: &Host, node: &Node) -> bool {
    let takes = state.policy.exists && host.is_selected && state.policy.takes_over;
    takes || node.stack.before.is_none()
}

/// Nothing of ours is left on the node; it is cordoned if and only if an admin wants it to be.
fn is_given_back(host: &Host, node: &Node) -> bool {
    let is_marked = node.marker != 0 || node.tainted || node.stack.is_paused();
    !is_marked && node.unschedulable == host.admin_keeps_it_cordoned
}

fn is_done(game: &Game, state: &State, host: &Host) -> bool {
    let (Some(node), Some(status)) = (&host.node, game.status(host)) else {
        return host.node.is_none();
    };
    let is_refused = !state.policy.takes_over && node.stack.deploys(Program::Manager);
    let is_so = if state.policy.exists && host.is_selected && is_refused {
        status.phase == Phase::Pending
    } else if state.policy.exists && host.is_selected {
        let want = state.policy.want;
        let has = host.machine.slices;
        status.phase == Phase::InSync && has == want && node.advertised == want
    } else {
        status.phase == Phase::Unmanaged
    };
    is_so && is_idle(host) && is_given_back(host, node) && is_left(state, host, node)
}
