//! What it takes to make something of a GPU, and what the GPUs of a node cannot become together.

use smallvec::SmallVec;

use super::scale::Cost;

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
    /// Whether GPUs are served through MPS, which cannot be beside slices.
    pub(super) mps: Option<bool>,
}

impl Kind {
    /// What both have, if they can be followed on one node.
    pub(super) fn beside(self, other: Self) -> Option<Self> {
        let agree = agree(self.whole, other.whole)
            && agree(self.rules, other.rules)
            && agree(self.single, other.single)
            && agree(self.mps, other.mps);
        agree.then(|| Self {
            whole: self.whole.or(other.whole),
            rules: self.rules.or(other.rules),
            single: self.single.or(other.single),
            mps: self.mps.or(other.mps),
        })
    }
}

fn agree<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
    one.is_none() || other.is_none() || one == other
}

/// How many pods that must not be evicted, and how many in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pair(pub(super) usize, pub(super) usize);

impl Pair {
    pub(super) fn plus(self, other: Self) -> Self {
        Self(self.0 + other.0, self.1 + other.1)
    }
}

/// What a candidate takes, without the shared pods.
#[derive(Debug)]
pub(super) struct Toll {
    pub(super) evicted: Pair,
    pub(super) destroyed: usize,
    pub(super) created: usize,
    pub(super) room: Room,
}

/// A candidate in numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weighed {
    pub(super) part: usize,
    /// The shared pods that it drives away, one bit each.
    pub(super) gone: u128,
    /// What it costs without them.
    pub(super) cost: Cost,
}
