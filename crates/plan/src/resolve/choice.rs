//! A choice of candidates for the first GPUs of a node.

use std::cmp::{Ordering, Reverse};

use smallvec::smallvec;

use super::bound::Least;
use super::cost::{Cost, Pair, Weighed};

/// What each shared pod counts.
#[derive(Debug)]
pub(super) struct Weights<'a> {
    /// By bit.
    pub(super) each: &'a [Pair],
    /// Those that must not be evicted, one bit each.
    protected: u128,
}

/// A choice for the GPUs so far.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    /// What is followed then, as a number; alike are choices for which it is the same.
    pub(super) followed: usize,
    /// Shared pods that leave, one bit each.
    pub(super) gone: u128,
    pub(super) cost: Cost,
    pub(super) step: Step,
}

/// What a choice is made of: one for the GPUs before, as its number there, and the candidate of the last GPU. In this order
/// what takes the first candidates of the first GPUs comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Step {
    pub(super) before: usize,
    pub(super) pick: usize,
}

/// A choice that is not made yet, and what it costs at least in the end. The least is the most promising.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Draft {
    pub(super) least: Least,
    pub(super) step: Step,
}

impl<'a> Weights<'a> {
    pub(super) fn new(each: &'a [Pair]) -> Self {
        let protected = each.iter().enumerate().filter(|(_, it)| it.0 > 0);
        Self {
            each,
            protected: protected.fold(0, |all, (bit, _)| all | 1 << bit),
        }
    }

    /// What these pods count together.
    pub(super) fn of(&self, pods: u128) -> Pair {
        // Counting bits takes its time, and most often there are none.
        if pods == 0 {
            return Pair::default();
        }
        let count = |pods: u128| pods.count_ones() as usize;
        Pair(count(pods & self.protected), count(pods))
    }
}

impl Choice {
    /// For no GPUs, of which none offers more than so many profiles.
    pub(super) fn nothing(profiles: usize) -> Self {
        Self {
            followed: 0,
            gone: 0,
            cost: Cost {
                room: Reverse(smallvec![0; profiles]),
                ..Cost::default()
            },
            step: Step::default(),
        }
    }

    /// With this candidate for the next GPU; then this is followed.
    pub(super) fn with(
        &self,
        weighed: &Weighed,
        step: Step,
        followed: usize,
        weights: &Weights<'_>,
    ) -> Self {
        let new = weights.of(weighed.gone & !self.gone);
        Self {
            followed,
            gone: self.gone | weighed.gone,
            cost: self.cost.clone().plus(&weighed.cost, new),
            step,
        }
    }

    /// The best first: what costs the least; then what takes the first candidates of the first GPUs.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        (&self.cost, self.step).cmp(&(&other.cost, other.step))
    }

    /// Whether it is at least as good as one that is alike and not before it in the order, however both go on: also if it
    /// had to drive away, later, all that the other has driven away already. `open`: the pods that GPUs to come may drive
    /// away.
    pub(super) fn beats(&self, other: &Self, open: u128, weights: &Weights<'_>) -> bool {
        let more = other.gone & !self.gone & open;
        if more == 0 {
            return true;
        }
        let at_most = self.cost.evicted.plus(weights.of(more));
        match at_most.cmp(&other.cost.evicted) {
            Ordering::Less => true,
            Ordering::Equal => self.rest() <= other.rest(),
            Ordering::Greater => false,
        }
    }

    /// What decides between choices for which as many pods must leave.
    fn rest(&self) -> impl Ord + '_ {
        let cost = &self.cost;
        (cost.destroyed, cost.created, &cost.room, self.step)
    }
}
