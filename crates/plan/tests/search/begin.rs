//! Where a search begins: every node is as the policy said, and the policy has just come to say something else. What of
//! NVIDIA's is there has just been installed.

use std::collections::BTreeMap;

use crate::action::{Action, Agent, Clock, Cluster, Move};
use crate::actors;
use crate::bounds::Left;
use crate::game::Game;
use crate::goals::{self, DONE};
use crate::world::host::Host;
use crate::world::machine::{Pod, PodStage, Who};
use crate::world::node::Node;
use crate::world::policy::Policy;
use crate::world::slices::Slices;
use crate::world::stack::{Program, Stack};
use crate::world::{Place, State};

/// More looks than it takes anybody.
const ENOUGH: usize = 200;

/// The state at the beginning.
pub fn state(game: &mut Game) -> State {
    let mut state = State {
        policy: Policy {
            takes_over: game.bounds.takes_over,
            ..Policy::new(game.bounds.before())
        },
        hosts: [None; 2],
        configs: game.configs.put(BTreeMap::new()),
        left: Left::default(),
    };
    for place in Place::ALL.into_iter().take(game.bounds.nodes) {
        let host = host(game);
        state = game.with(state, place, host);
    }
    let mut state = in_sync(game, state);
    for (place, host) in game.each(&state).collect::<Vec<_>>() {
        state = installed(game, state, place, host);
    }
    state.policy.want = Slices::AFTER;
    state.policy.generation = 2;
    state.policy.judged = false;
    state.left = game.bounds.trouble;
    state
}

fn host(game: &mut Game) -> Host {
    let nothing = game.promises.put(BTreeMap::new());
    let mut host = Host::new(Node::new(1, game.bounds.before(), Stack::NONE, nothing));
    if game.bounds.has_victim {
        host.pods[Who::Victim.index()] = Pod {
            uid: 1,
            stage: PodStage::Running,
        };
    }
    host
}

fn installed(game: &mut Game, state: State, place: Place, mut host: Host) -> State {
    let stack = game.bounds.stack;
    host.write_node(None, |node| node.stack = stack);
    host.runs = Program::ALL.map(|program| stack.deploys(program));
    game.with(state, place, host)
}

/// Everybody does what they should, in turn.
fn in_sync(game: &mut Game, mut state: State) -> State {
    let mut actions = Vec::new();
    for _ in 0..ENOUGH {
        if goals::is_reached(game, DONE, &state) {
            return state;
        }
        actions.clear();
        actors::actions(game, &state, &mut actions);
        for action in &actions {
            if is_work(*action) {
                state = actors::perform(game, &state, *action).expect("no rule is broken yet");
            }
        }
    }
    panic!("never in sync: {state:?}");
}

const fn is_work(action: Action) -> bool {
    match action {
        Action::Operator(_, _, what) => matches!(what, Move::Looks | Move::Decides | Move::Acts),
        Action::Agent(_, what) => matches!(what, Agent::Acts),
        Action::Cluster(_, what) => matches!(what, Cluster::PluginReads),
        Action::Admits(_) | Action::Caches(..) => true,
        Action::Clock(_, what) => matches!(what, Clock::Kubelets),
        Action::Nvidia(..) | Action::Person(..) | Action::Policy(_) => false,
    }
}
