//! Which of the existing instances become part of the wanted layout: every choice, the cheapest first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::puzzle::Cost;
use super::standing::{Instances, Standing};

/// Choices in the order of their cost.
///
/// To keep one instance less never costs less: it is destroyed, or made anew elsewhere, and its pods leave. So it is
/// enough to begin with the choices that keep the most and to go on, from each that was looked at, to those with one
/// instance less. Nothing is computed for a choice before all cheaper ones were in vain.
pub(super) struct Choices<F> {
    cost: F,
    next: BinaryHeap<Reverse<(Cost, Instances)>>,
    /// By choice, as a number: those that were in `next` once.
    seen: Vec<bool>,
}

impl<F: Fn(Instances) -> Cost> Choices<F> {
    pub(super) fn new(standing: &[Standing<'_>], demand: &[i32], cost: F) -> Self {
        let mut choices = Self {
            cost,
            next: BinaryHeap::new(),
            seen: vec![false; 1 << standing.len()],
        };
        for choice in largest(standing, demand) {
            choices.push(choice);
        }
        choices
    }

    fn push(&mut self, choice: Instances) {
        let seen = &mut self.seen[usize::from(choice)];
        if !std::mem::replace(seen, true) {
            self.next.push(Reverse(((self.cost)(choice), choice)));
        }
    }
}

impl<F: Fn(Instances) -> Cost> Iterator for Choices<F> {
    type Item = (Cost, Instances);

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((cost, choice)) = self.next.pop()?;
        let kept = (0..Instances::BITS).map(|index| 1 << index);
        for one in kept.filter(|one| choice & one != 0) {
            self.push(choice & !one);
        }
        Some((cost, choice))
    }
}

/// The choices to which no instance can be added: of each profile as many as are wanted, or all that there are.
fn largest(standing: &[Standing<'_>], demand: &[i32]) -> Vec<Instances> {
    let mut choices = vec![0];
    for (profile, &number) in demand.iter().enumerate().filter(|(_, number)| **number > 0) {
        let is = |it: &Standing<'_>| it.profile == Some(profile) && it.keepable;
        let there = standing.iter().enumerate().filter(|(_, it)| is(it));
        let there: Vec<Instances> = there.map(|(index, _)| 1 << index).collect();
        let number = there.len().min(usize::try_from(number).unwrap_or_default());
        let some = some(&there, number);
        choices = choices
            .into_iter()
            .flat_map(|choice| some.iter().map(move |some| choice | some))
            .collect();
    }
    choices
}

/// Every set of so many of these.
fn some(there: &[Instances], number: usize) -> Vec<Instances> {
    match (there, number) {
        (_, 0) => vec![0],
        ([], _) => Vec::new(),
        ([one, others @ ..], _) => {
            let with = some(others, number - 1).into_iter().map(|rest| rest | one);
            with.chain(some(others, number)).collect()
        }
    }
}
