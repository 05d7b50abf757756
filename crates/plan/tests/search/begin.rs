//! Where a search begins: every node is as the policy said, and the policy has just come to say something else.

use std::collections::BTreeMap;

use crate::action::{Action, Agent, Cluster, Move};
use crate::actors;
use crate::bounds::Left;
use crate::game::Game;
use crate::goals::{self, DONE};
use crate::world::host::Host;
use crate::world::machine::{Pod, PodStage, Who};
use crate::world::node::Node;
use crate::world::policy::Policy;
use crate::world::slices::Slices;
use crate::world::{Place, State};

/// More looks than it takes anybody.
const ENOUGH: usize = 200;

/// The state at the beginning.
pub fn state(game: &mut Game) -> State {
    let mut state = State {
        policy: Policy::new(Slices::BEFORE),
        hosts: [None; 2],
        configs: game.configs.put(BTreeMap::new()),
        left: Left::default(),
    };
    for place in Place::ALL.into_iter().take(game.bounds.nodes) {
        let host = host(game);
        state = game.with(state, place, host);
    }
    let mut state = in_sync(game, state);
    state.policy.want = Slices::AFTER;
    state.policy.generation = 2;
    state.policy.judged = false;
    state.left = game.bounds.trouble;
    state
}

fn host(game: &mut Game) -> Host {
    let mut host = Host::new(Node {
        uid: 1,
        unschedulable: false,
        cordon_is_ours: false,
        marker: 0,
        pre_cordoned: false,
        tainted: false,
        hold: false,
        retry: false,
        key: None,
        promises: game.promises.put(BTreeMap::new()),
        advertised: Slices::BEFORE,
    });
    if game.bounds.has_victim {
        host.pods[Who::Victim.index()] = Pod {
            uid: 1,
            stage: PodStage::Running,
        };
    }
    host
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
        Action::Clock(..) | Action::Person(..) | Action::Policy(_) => false,
    }
}
