//! What it costs a node that its GPUs become something, and what they cannot become together.

use std::cmp::Reverse;

use smallvec::SmallVec;

/// How many more instances would fit, by profile of the node, the largest first.
pub(super) type Room = SmallVec<[i32; 8]>;

/// What a part has in common with those that can be followed beside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind {
    /// How whole GPUs are shared.
    pub(super) whole: Option<usize>,
    /// How replicas are named and handed out.
    pub(super) rules: Option<usize>,
    /// Whether slices are called like whole GPUs, which then cannot be there.
    pub(super) single: Option<bool>,
}

impl Kind {
    /// What both have, if they can be followed on one node.
    pub(super) fn beside(self, other: Self) -> Option<Self> {
        let agree = agree(self.whole, other.whole)
            && agree(self.rules, other.rules)
            && agree(self.single, other.single);
        agree.then(|| Self {
            whole: self.whole.or(other.whole),
            rules: self.rules.or(other.rules),
            single: self.single.or(other.single),
        })
    }
}

fn agree<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
    one.is_none() || other.is_none() || one == other
}

/// What a choice costs; the order of the fields is the order of what matters.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cost {
    pub(super) evicted: Pair,
    pub(super) destroyed: usize,
    pub(super) created: usize,
    /// How many more instances would fit on all GPUs, by profile, the largest first.
    pub(super) room: Reverse<Room>,
}

/// How many pods that must not be evicted, and how many in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pair(pub(super) usize, pub(super) usize);

impl Pair {
    pub(super) fn plus(self, other: Self) -> Self {
        Self(self.0 + other.0, self.1 + other.1)
    }
}

impl Cost {
    pub(super) fn plus(mut self, other: &Self, evicted: Pair) -> Self {
        self.evicted = self.evicted.plus(other.evicted).plus(evicted);
        self.destroyed += other.destroyed;
        self.created += other.created;
        for (room, more) in self.room.0.iter_mut().zip(&other.room.0) {
            *room += more;
        }
        self
    }
}

/// A candidate in numbers.
#[derive(Debug)]
pub(super) struct Weighed {
    pub(super) part: usize,
    pub(super) gone: u128,
    /// Without the shared pods.
    pub(super) cost: Cost,
}
