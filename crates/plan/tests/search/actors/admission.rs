//! The policy controller: the product's own, on what its caches show, written only over the slots that it has read.

use plan::admission::{self, NodeSummary, Why};

use crate::action::Action;
use crate::forget::now;
use crate::forget::wants_slot;
use crate::game::Game;
use crate::mutation::Mutation;
use crate::renumber;
use crate::rules;
use crate::sight;
use crate::world::host::Host;
use crate::world::node::uid;
use crate::world::operator::{Leader, Summary};
use crate::world::policy::{self, Slot, Window};
use crate::world::{Place, State};

pub fn actions(game: &Game, state: &State, found: &mut Vec<Action>) {
    if !state.policy.exists {
        return;
    }
    let leaders = if game.bounds.caches_lag {
        game.bounds.leaders
    } else {
        1
    };
    for leader in Leader::ALL.into_iter().take(leaders) {
        found.push(Action::Admits(leader));
        let places = game.each(state).filter(|_| game.bounds.caches_lag);
        found.extend(places.map(|(place, _)| Action::Caches(leader, place)));
    }
}

pub fn caches(game: &mut Game, state: &State, place: Place, mut host: Host, by: Leader) -> State {
    host.cached[by.index()] = summary(game, state, &host);
    game.with(*state, place, host)
}

pub fn admits(game: &mut Game, state: &State, leader: Leader) -> Result<State, String> {
    let slots = slots(game, state, leader);
    let mut after = *state;
    after.policy.judged = true;
    for (place, host) in game.each(state).collect::<Vec<_>>() {
        let before = state.policy.slots[place.index()];
        let granted = slots.iter().find(|slot| slot.node == place.name());
        after.policy.slots[place.index()] = granted.map(|granted| {
            let same = before.filter(|it| i64::from(it.operation) == granted.operation);
            same.unwrap_or_else(|| Slot {
                uid: number(&granted.uid),
                operation: {
                    let latest = renumber::latest(game, &host, before.as_ref());
                    renumber::granted(granted.operation, latest)
                },
            })
        });
    }
    rules::admission(game, &state.policy, &after.policy)?;
    for (place, host) in game.each(state).collect::<Vec<_>>() {
        after = game.with(after, place, host);
    }
    Ok(after)
}

fn slots(game: &Game, state: &State, leader: Leader) -> Vec<crds::policy::Slot> {
    let mut policy = state.policy;
    if game.is(Mutation::IgnoresWindow) {
        policy.window = Window::Open;
    }
    let mut object = policy.object(game.bounds.rules, game.bounds.has_window);
    let held = Place::ALL.into_iter().filter_map(|place| {
        let slot = state.policy.slots[place.index()]?;
        Some(sight::slot(place, slot))
    });
    object.status.get_or_insert_default().slots = held.collect();
    let mut nodes = Vec::with_capacity(2);
    for (place, host) in game.each(state) {
        let summary = if game.bounds.caches_lag {
            host.cached[leader.index()]
        } else {
            summary(game, state, &host)
        };
        let holds_slot = state.policy.slots[place.index()].is_some();
        if let Some(summary) = summary.filter(|summary| summary.won || holds_slot) {
            nodes.push(node(place, &summary));
        }
    }
    match game.mutation {
        Some(mutation) => mutation.slots(&object, &nodes),
        None => admission::report(&object, &nodes, now()).status.slots,
    }
}

/// What a cache that is up to date shows of a node.
fn summary(game: &Game, state: &State, host: &Host) -> Option<Summary> {
    let (node, status) = (host.node?, game.status(host)?);
    Some(Summary {
        uid: node.uid,
        unavailable: node.unschedulable,
        won: state.policy.exists && host.is_selected,
        phase: status.phase,
        wants_slot: wants_slot(status),
        operation: crate::decide::small(status.operation_id),
        failed: status.attempts > 0,
    })
}

fn node(place: Place, summary: &Summary) -> NodeSummary {
    NodeSummary {
        name: place.name().to_owned(),
        uid: uid(summary.uid),
        won: summary.won,
        topology: None,
        unavailable: summary.unavailable,
        gpus: 1,
        phase: summary.phase,
        waiting: summary.wants_slot.then(|| Why {
            reason: "AwaitingSlot".to_owned(),
            message: String::new(),
        }),
        operation_id: summary.operation.into(),
        attempts: summary.failed.into(),
        pending_since: Some(now()),
        history: Vec::new(),
        problem: None,
    }
}

fn number(uid: &str) -> u8 {
    let (_, number) = uid.rsplit_once('-').expect("a name and a number");
    number.parse().expect("a small number")
}

/// How many nodes may be out of service.
pub fn limit(game: &Game, policy: &policy::Policy) -> usize {
    let object = policy.object(game.bounds.rules, game.bounds.has_window);
    admission::limit(&object.spec.maintenance.max_unavailable, game.bounds.nodes)
}
