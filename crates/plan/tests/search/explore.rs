//! Breadth first through every state that a model can come to: the shortest way to a broken rule, and the states from
//! which what must always stay possible is not.

use std::collections::VecDeque;
use std::hash::Hash;

use indexmap::IndexSet;

use super::hash::Fast;

/// A machine whose next states follow from the present one.
pub trait Model {
    /// Small, and equal if and only if nothing tells two of them apart.
    type State: Copy + Eq + Hash;
    /// What may happen.
    type Action: Copy;

    /// Where it begins.
    fn start(&mut self) -> Self::State;
    /// What may happen in this state.
    fn actions(&mut self, state: &Self::State, found: &mut Vec<Self::Action>);
    /// What it leads to. The error names the rule that it breaks.
    fn perform(&mut self, state: &Self::State, action: Self::Action)
    -> Result<Self::State, String>;
    /// The rule that a state breaks, whatever led to it.
    fn broken(&mut self, state: &Self::State) -> Option<String>;
    /// Whether the world does this without ill will: what must stay possible must be so by such actions alone.
    fn is_fair(&self, action: Self::Action) -> bool;
    /// Whether something that must always stay possible is so here.
    fn is_reached(&mut self, goal: &'static str, state: &Self::State) -> bool;
    /// An action for people.
    fn words(&mut self, state: &Self::State, action: Self::Action) -> String;
    /// A state for people.
    fn picture(&mut self, state: &Self::State) -> String;
}

/// What a search came to.
#[derive(Debug, Default)]
pub struct Findings {
    /// States that were reached.
    pub states: usize,
    /// Ways from one of them to another.
    pub ways: usize,
    /// The longest of the shortest ways to a state.
    pub depth: u32,
    /// The shortest way to a broken rule, if one breaks.
    pub broken: Option<Trace>,
}

/// A way through the states, for people.
#[derive(Debug)]
pub struct Trace {
    /// What is wrong where it ends.
    pub rule: String,
    /// What happened, in order.
    pub steps: Vec<String>,
    /// Where it ends.
    pub end: String,
}

impl std::fmt::Display for Trace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.rule)?;
        for (number, step) in self.steps.iter().enumerate() {
            writeln!(f, "{:>4}. {step}", number + 1)?;
        }
        write!(f, "{}", self.end)
    }
}

/// Where a state was first come to from.
struct Origin<A> {
    state: u32,
    action: A,
    depth: u32,
}

/// Everything that has been seen so far.
struct Seen<M: Model> {
    states: IndexSet<M::State, Fast>,
    /// By state; none for the first.
    origins: Vec<Option<Origin<M::Action>>>,
    /// Pairs of states that a fair action leads from and to.
    fair: Vec<(u32, u32)>,
    ways: usize,
}

/// Visits every state, at most `limit` of them, and then looks for states from which a goal is out of reach.
pub fn explore<M: Model>(model: &mut M, goals: &[&'static str], limit: usize) -> Findings {
    let mut seen = Seen {
        states: IndexSet::default(),
        origins: vec![None],
        fair: Vec::new(),
        ways: 0,
    };
    let start = model.start();
    seen.states.insert(start);
    let found = seen.everything(model, limit);
    let broken = found.or_else(|| goals.iter().find_map(|goal| seen.out_of_reach(model, goal)));
    let depths = seen.origins.iter().flatten().map(|origin| origin.depth);
    Findings {
        states: seen.states.len(),
        ways: seen.ways,
        depth: depths.max().unwrap_or_default(),
        broken: broken.map(|(rule, at, last)| seen.trace(model, rule, at, last)),
    }
}

/// A rule, the state that breaks it, and the action that does if it is not the state itself.
type Broken<M> = (String, u32, Option<<M as Model>::Action>);

impl<M: Model> Seen<M> {
    fn everything(&mut self, model: &mut M, limit: usize) -> Option<Broken<M>> {
        let mut actions = Vec::new();
        let mut next = 0;
        while let Some(state) = self.states.get_index(next).copied() {
            let from = number(next);
            if let Some(rule) = model.broken(&state) {
                return Some((rule, from, None));
            }
            actions.clear();
            model.actions(&state, &mut actions);
            for action in &actions {
                match model.perform(&state, *action) {
                    Ok(to) => self.add(from, *action, to, model.is_fair(*action)),
                    Err(rule) => return Some((rule, from, Some(*action))),
                }
            }
            assert!(self.states.len() <= limit, "more than {limit} states");
            next += 1;
        }
        None
    }

    fn add(&mut self, from: u32, action: M::Action, to: M::State, is_fair: bool) {
        let (index, is_new) = self.states.insert_full(to);
        let to = number(index);
        if is_new {
            let depth = self.origins[from as usize].as_ref().map_or(0, |o| o.depth) + 1;
            self.origins.push(Some(Origin {
                state: from,
                action,
                depth,
            }));
        }
        if from != to {
            self.ways += 1;
            if is_fair {
                self.fair.push((to, from));
            }
        }
    }

    /// The first state from which fair actions do not lead to the goal any more.
    fn out_of_reach(&mut self, model: &mut M, goal: &'static str) -> Option<Broken<M>> {
        self.fair.sort_unstable();
        self.fair.dedup();
        let states = self.states.iter();
        let mut within: Vec<bool> = states.map(|state| model.is_reached(goal, state)).collect();
        let mut queue: VecDeque<u32> = (0..number(within.len()))
            .filter(|index| within[*index as usize])
            .collect();
        while let Some(to) = queue.pop_front() {
            let first = self.fair.partition_point(|(known, _)| *known < to);
            let ways = self.fair[first..].iter();
            for (_, from) in ways.take_while(|(known, _)| *known == to) {
                if !std::mem::replace(&mut within[*from as usize], true) {
                    queue.push_back(*from);
                }
            }
        }
        let stuck = within.iter().filter(|within| !**within).count();
        let first = within.iter().position(|within| !within)?;
        Some((
            format!("{goal} is out of reach, from {stuck} states; the first:"),
            number(first),
            None,
        ))
    }

    fn trace(&self, model: &mut M, rule: String, at: u32, last: Option<M::Action>) -> Trace {
        let mut way = Vec::new();
        let mut at = at;
        let end = self.states[at as usize];
        if let Some(action) = last {
            way.push((end, action));
        }
        while let Some(origin) = &self.origins[at as usize] {
            at = origin.state;
            way.push((self.states[at as usize], origin.action));
        }
        way.reverse();
        let steps = way.into_iter();
        Trace {
            rule,
            steps: steps
                .map(|(state, action)| model.words(&state, action))
                .collect(),
            end: model.picture(&end),
        }
    }
}

fn number(index: usize) -> u32 {
    u32::try_from(index).expect("fewer than four billion states")
}
