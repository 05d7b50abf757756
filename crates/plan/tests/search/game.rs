//! The product against the world: who may do what in a state, and what becomes of it.

use std::collections::HashMap;

use crds::GpuNodeSpec;
use crds::gpu_node::{MaintenanceStatus, Operation, Phase};

use crate::action::Action;
use crate::bounds::Bounds;
use crate::decide::Seen;
use crate::explore::Model;
use crate::goals;
use crate::hash::Fast;
use crate::mutation::Mutation;
use crate::store::{Number, Set, Store};
use crate::world::host::Host;
use crate::world::node::Promises;
use crate::world::operator::Decision;
use crate::world::{Configs, Place, State};
use crate::{actors, begin, renumber, rules, words};

/// A search's world, and everything that was ever seen in it.
pub struct Game {
    /// How far it goes.
    pub bounds: Bounds,
    /// What is broken in the product or its driver, if anything.
    pub mutation: Option<Mutation>,
    /// All that was ever so of a node.
    pub hosts: Set<Host>,
    /// Specs of `GpuNode`s.
    pub specs: Store<GpuNodeSpec>,
    /// Statuses, forgotten as far as they make no difference.
    pub statuses: Store<MaintenanceStatus>,
    /// Keys of the device plugin's configurations.
    pub keys: Store<String>,
    /// Labels that promise something.
    pub promises: Store<Promises>,
    /// What the device plugins may be told.
    pub configs: Store<Configs>,
    /// What steps came to.
    pub decisions: Set<Decision>,
    /// What a step came to before, by all that it saw.
    pub known: HashMap<Seen, Result<Option<Number<Decision>>, String>, Fast>,
}

impl Game {
    /// A game of the product as it is.
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            mutation: None,
            hosts: Set::default(),
            specs: Store::default(),
            statuses: Store::default(),
            keys: Store::default(),
            promises: Store::default(),
            configs: Store::default(),
            decisions: Set::default(),
            known: HashMap::default(),
        }
    }

    /// A game of a product that is broken.
    pub fn mutated(bounds: Bounds, mutation: Mutation) -> Self {
        Self {
            mutation: Some(mutation),
            ..Self::new(bounds)
        }
    }

    /// Whether this is what is broken.
    pub fn is(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    /// All that belongs to a node.
    pub fn host(&self, state: &State, place: Place) -> Option<Host> {
        let number = state.hosts[place.index()]?;
        Some(*self.hosts.get(number))
    }

    /// The nodes that there are, with all that belongs to each.
    pub fn each(&self, state: &State) -> impl Iterator<Item = (Place, Host)> {
        let all = Place::ALL.into_iter();
        all.filter_map(|place| Some((place, self.host(state, place)?)))
    }

    /// The status of a node.
    pub fn status(&self, host: &Host) -> Option<&MaintenanceStatus> {
        Some(self.statuses.get(host.gpu_node?.status))
    }

    /// The phase of a node.
    pub fn phase(&self, host: &Host) -> Option<Phase> {
        Some(self.status(host)?.phase)
    }

    /// What the agent of a node is asked for.
    pub fn asked(&self, host: &Host) -> Option<&Operation> {
        let spec = self.specs.get(host.gpu_node?.spec);
        spec.operation.as_ref()
    }

    /// The state with something changed about a node.
    pub fn with(&mut self, mut state: State, place: Place, mut host: Host) -> State {
        let slot = &mut state.policy.slots[place.index()];
        renumber::operations(self, &mut host, slot);
        if self.phase(&host).is_none_or(renumber::is_settled) {
            host.forget_operation();
        }
        if self.bounds.leaders == 2 {
            host.sort_leaders();
        }
        host.scheduler_lags &= state.left.binds > 0;
        state.hosts[place.index()] = Some(self.hosts.put(host));
        state
    }
}

impl Model for Game {
    type State = State;
    type Action = Action;

    fn start(&mut self) -> State {
        begin::state(self)
    }

    fn actions(&mut self, state: &State, found: &mut Vec<Action>) {
        actors::actions(self, state, found);
    }

    fn perform(&mut self, state: &State, action: Action) -> Result<State, String> {
        actors::perform(self, state, action)
    }

    fn broken(&mut self, state: &State) -> Option<String> {
        rules::state(self, state).err()
    }

    fn is_fair(&self, action: Action) -> bool {
        action.is_fair()
    }

    fn is_reached(&mut self, goal: &'static str, state: &State) -> bool {
        goals::is_reached(self, goal, state)
    }

    fn words(&mut self, state: &State, action: Action) -> String {
        words::action(self, state, action)
    }

    fn picture(&mut self, state: &State) -> String {
        words::state(self, state)
    }
}
