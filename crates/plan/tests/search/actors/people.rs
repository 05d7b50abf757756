//! People, about nodes.

use crds::gpu_node::Phase;

use crate::action::{Action, Person};
use crate::game::Game;
use crate::world::host::Host;
use crate::world::machine::Stage;
use crate::world::slices::Slices;
use crate::world::stack::{Deploy, Program};
use crate::world::{Configs, Place, State};

pub fn actions(game: &Game, state: &State, place: Place, host: &Host, found: &mut Vec<Action>) {
    let mut may = |what| found.push(Action::Person(place, what));
    let left = &state.left;
    if left.purges > 0 && host.gpu_node.is_some() {
        may(Person::DeletesGpuNode);
    }
    if left.wipes > 0 && place == Place::First {
        may(Person::DeletesConfigs);
    }
    let Some(node) = &host.node else { return };
    if left.cordons > 0 {
        may(if node.unschedulable {
            Person::Uncordons
        } else {
            Person::Cordons
        });
    }
    if node.hold {
        may(Person::Holds(false));
    } else if left.holds > 0 {
        may(Person::Holds(true));
    }
    if left.deploys > 0 {
        for program in Program::ALL {
            let mut stack = node.stack;
            let now = *stack.label(program);
            let values = [Deploy::True, Deploy::False].into_iter();
            let others = values.filter(|value| *value != now && now != Deploy::Absent);
            others.for_each(|value| may(Person::Deploys(program, value)));
        }
    }
    if left.selections > 0 {
        may(Person::Selects(!host.is_selected));
    }
    let reached = host.machine.task.map(|task| task.stage);
    if left.repairs > 0 && reached == Some(Stage::Failed) {
        may(Person::Repairs);
    }
    let was_heard =
        |seen: Option<&String>| seen.is_some_and(|seen| *seen == u8::from(node.retry).to_string());
    let is_quarantined = game.status(host).is_some_and(|status| {
        status.phase == Phase::Quarantined && was_heard(status.retry_seen.as_ref())
    });
    if is_quarantined {
        may(Person::Retries);
    }
}

pub fn perform(
    game: &mut Game,
    mut state: State,
    place: Place,
    mut host: Host,
    what: Person,
) -> State {
    let left = &mut state.left;
    match what {
        Person::Cordons => {
            left.cordons -= 1;
            host.admin_keeps_it_cordoned = true;
            host.write_node(None, |node| {
                (node.unschedulable, node.cordon_is_ours) = (true, false);
            });
        }
        Person::Uncordons => {
            left.cordons -= 1;
            host.admin_keeps_it_cordoned = false;
            host.write_node(None, |node| node.unschedulable = false);
        }
        Person::Holds(hold) => {
            left.holds -= u8::from(hold);
            host.write_node(None, |node| node.hold = hold);
        }
        Person::Retries => host.write_node(None, |node| node.retry = !node.retry),
        Person::Repairs => {
            left.repairs -= 1;
            let spec = host.gpu_node.map(|it| game.specs.get(it.spec));
            if let Some(target) = spec.and_then(|spec| spec.target.as_ref()) {
                host.machine.slices = Slices::of(target);
            }
        }
        Person::Deploys(program, value) => {
            left.deploys -= 1;
            host.write_node(None, |node| *node.stack.label(program) = value);
        }
        Person::DeletesGpuNode => {
            left.purges -= 1;
            host.gpu_node = None;
            host.gpu_node_is_written(None);
        }
        Person::DeletesConfigs => {
            left.wipes -= 1;
            state.configs = game.configs.put(Configs::new());
        }
        Person::Selects(selected) => {
            left.selections -= 1;
            host.is_selected = selected;
            host.node_is_written(None);
        }
    }
    game.with(state, place, host)
}
