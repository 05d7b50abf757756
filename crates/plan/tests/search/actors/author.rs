//! The policy's author, and its window.

use crate::action::{Action, Author};
use crate::game::Game;
use crate::world::State;
use crate::world::policy::{Brake, Policy, Window};
use crate::world::slices::Slices;

pub fn actions(game: &Game, state: &State, found: &mut Vec<Action>) {
    let (policy, left) = (&state.policy, &state.left);
    if !policy.exists {
        return;
    }
    let mut may = |what| found.push(Action::Policy(what));
    if left.edits > 0 {
        for want in [game.bounds.before(), Slices::AFTER, Slices::OTHER] {
            if want != policy.want {
                may(Author::Edits(want));
            }
        }
    }
    if policy.brake != Brake::Off {
        may(Author::Brakes(Brake::Off));
    } else if left.brakes > 0 {
        may(Author::Brakes(Brake::Paused));
        may(Author::Brakes(Brake::DryRun));
    }
    if left.allowances > 0 {
        may(Author::TakesOver(!policy.takes_over));
    }
    if left.removals > 0 {
        may(Author::Deletes);
    }
    if !game.bounds.has_window {
        return;
    }
    if policy.window != Window::Open {
        may(Author::Window(Window::Open));
    }
    if left.closings > 0 && policy.window == Window::Open {
        may(Author::Window(Window::Ends));
    }
    if left.closings > 0 && policy.window != Window::Closed {
        may(Author::Window(Window::Closed));
    }
}

pub fn perform(mut state: State, what: Author) -> State {
    let (policy, left) = (&mut state.policy, &mut state.left);
    match what {
        Author::Edits(want) => {
            left.edits -= 1;
            policy.want = want;
            is_edited(policy);
        }
        Author::Brakes(brake) => {
            left.brakes -= u8::from(brake != Brake::Off);
            policy.brake = brake;
            is_edited(policy);
        }
        Author::TakesOver(takes_over) => {
            left.allowances -= 1;
            policy.takes_over = takes_over;
            is_edited(policy);
        }
        Author::Deletes => {
            left.removals -= 1;
            *policy = Policy {
                exists: false,
                ..Policy::new(Slices::BEFORE)
            };
        }
        Author::Window(window) => {
            left.closings -= u8::from(window != Window::Open);
            policy.window = window;
        }
    }
    state
}

/// Another generation, which the policy controller has not looked at.
const fn is_edited(policy: &mut Policy) {
    policy.generation += 1;
    policy.judged = false;
}
