//! NVIDIA's stack: programs come and go with their labels, MIG Manager divides the GPU, the driver is upgraded.

use crate::action::{Action, Nvidia};
use crate::game::Game;
use crate::world::host::Host;
use crate::world::stack::Program;
use crate::world::{Place, State};

pub fn actions(state: &State, place: Place, host: &Host, found: &mut Vec<Action>) {
    let Some(node) = &host.node else { return };
    let mut may = |what| found.push(Action::Nvidia(place, what));
    for program in Program::ALL {
        match (node.stack.deploys(program), host.runs[program.index()]) {
            (true, false) => may(Nvidia::Starts(program)),
            (false, true) => may(Nvidia::Ends(program)),
            (true, true) | (false, false) => {}
        }
    }
    let manages = host.runs[Program::Manager.index()];
    if node.stack.is_busy && manages {
        may(Nvidia::Divides(false));
    } else if manages && state.left.divisions > 0 {
        may(Nvidia::Divides(true));
    }
    if node.stack.upgrades {
        may(Nvidia::Upgrades(false));
    } else if state.left.upgrades > 0 {
        may(Nvidia::Upgrades(true));
    }
}

pub fn perform(
    game: &mut Game,
    mut state: State,
    place: Place,
    mut host: Host,
    what: Nvidia,
) -> State {
    match what {
        Nvidia::Starts(program) => host.runs[program.index()] = true,
        Nvidia::Ends(program) => host.runs[program.index()] = false,
        Nvidia::Divides(is_busy) => {
            state.left.divisions -= u8::from(is_busy);
            host.write_node(None, |node| node.stack.is_busy = is_busy);
        }
        Nvidia::Upgrades(upgrades) => {
            state.left.upgrades -= u8::from(upgrades);
            host.write_node(None, |node| node.stack.upgrades = upgrades);
        }
    }
    game.with(state, place, host)
}
