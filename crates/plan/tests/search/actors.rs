//! Who acts, one file each: what they may do in a state, and what comes of it.

pub mod admission;
mod agent;
mod author;
mod clock;
mod cluster;
mod nvidia;
mod operator;
mod people;

use crate::action::Action;
use crate::game::Game;
use crate::world::State;

/// All that may happen in a state.
pub fn actions(game: &Game, state: &State, found: &mut Vec<Action>) {
    admission::actions(game, state, found);
    author::actions(game, state, found);
    for (place, host) in game.each(state) {
        operator::actions(game, place, &host, found);
        agent::actions(game, state, place, &host, found);
        cluster::actions(game, state, place, &host, found);
        nvidia::actions(state, place, &host, found);
        clock::actions(game, state, place, &host, found);
        people::actions(game, state, place, &host, found);
    }
}

/// What comes of an action. The error names the rule that it breaks.
pub fn perform(game: &mut Game, state: &State, action: Action) -> Result<State, String> {
    let host = |game: &Game, place| game.host(state, place).expect("a node that there is");
    Ok(match action {
        Action::Operator(leader, place, what) => {
            let host = host(game, place);
            return operator::perform(game, state, place, host, leader, what);
        }
        Action::Admits(leader) => return admission::admits(game, state, leader),
        Action::Caches(leader, place) => {
            let host = host(game, place);
            admission::caches(game, state, place, host, leader)
        }
        Action::Agent(place, what) => {
            let host = host(game, place);
            return agent::perform(game, state, place, host, what);
        }
        Action::Cluster(place, what) => {
            let host = host(game, place);
            cluster::perform(game, *state, place, host, what)
        }
        Action::Nvidia(place, what) => {
            let host = host(game, place);
            nvidia::perform(game, *state, place, host, what)
        }
        Action::Clock(place, what) => {
            let host = host(game, place);
            clock::perform(game, *state, place, host, what)
        }
        Action::Person(place, what) => {
            let host = host(game, place);
            people::perform(game, *state, place, host, what)
        }
        Action::Policy(what) => author::perform(*state, what),
    })
}
