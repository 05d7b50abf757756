//! Which of the existing instances become part of the wanted layout: every choice, the cheapest first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::puzzle::Cost;
use super::standing::Instances;

/// Choices in the order of their cost.
///
/// To keep one instance less never costs less: it is destroyed, or made anew elsewhere, and its pods leave. So it is
/// enough to begin with the choices that keep the most and to go on, from each that was in vain, to those with one
/// instance less. Nothing is computed for a choice before all cheaper ones were looked at.
pub(super) struct Choices<F> {
    cost: F,
    next: BinaryHeap<Reverse<(Cost, Instances)>>,
    /// By choice, as a number: those that were in `next` once.
    seen: Vec<bool>,
}

impl<F: Fn(Instances) -> Cost> Choices<F> {
    /// The choices of the existing instances by profile: `alike` are those that may be kept.
    pub(super) fn new(alike: &[Instances], demand: &[i32], cost: F) -> Self {
        let every = alike.iter().fold(0, |every, alike| every | alike);
        let instances = Instances::BITS - every.leading_zeros();
        let mut seen = vec![false; 1 << instances];
        let mut first = largest(alike, demand);
        first.retain(|&choice| !std::mem::replace(&mut seen[usize::from(choice)], true));
        let priced = first
            .into_iter()
            .map(|choice| Reverse((cost(choice), choice)));
        // Made a heap at once: most are never looked at.
        let next = priced.collect::<Vec<_>>().into();
        Self { cost, next, seen }
    }

    /// Goes on from a choice that was in vain.
    pub(super) fn with_less_than(&mut self, choice: Instances) {
        let mut rest = choice;
        while rest != 0 {
            let without_lowest = rest & (rest - 1);
            self.push(choice & !(rest ^ without_lowest));
            rest = without_lowest;
        }
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
        self.next.pop().map(|Reverse(next)| next)
    }
}

/// The choices to which no instance can be added: of each profile as many as are wanted, or all that there are.
fn largest(alike: &[Instances], demand: &[i32]) -> Vec<Instances> {
    let mut choices = vec![0];
    let some = alike.iter().zip(demand).filter(|(there, _)| **there != 0);
    for (&there, &number) in some {
        let number = number.try_into().unwrap_or_default();
        if there.count_ones() <= number {
            for choice in &mut choices {
                *choice |= there;
            }
        } else {
            let with = |choice: Instances| subsets(there, number).map(move |some| choice | some);
            choices = choices.into_iter().flat_map(with).collect();
        }
    }
    choices
}

/// Every set of so many of these.
fn subsets(there: Instances, number: u32) -> impl Iterator<Item = Instances> {
    // Each is the one before less one, in the bits that there are; the empty one is the last.
    let next = move |subset: &Instances| (*subset != 0).then(|| (subset - 1) & there);
    let every = std::iter::successors(Some(there), next);
    every.filter(move |subset| subset.count_ones() == number)
}
