//! Every way to place instances around those that stay, and the best of them.

use std::cmp::Reverse;

use super::ground::Ground;
use super::hardware::{Hardware, Slices};
use super::standing::Standing;

/// A complete placement. The least is the best.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Packed {
    /// How many more instances of each profile would fit, each profile for itself, the largest first.
    pub(super) spare: Reverse<Vec<i32>>,
    /// Profile and start of every instance, the largest profile first.
    pub(super) starts: Vec<(usize, i32)>,
}

/// A depth-first search, the largest profile and the lowest start first. One serves for many choices of what stays, so
/// that each costs no memory of its own.
pub(super) struct Packing<'a> {
    ground: Ground<'a>,
    /// How many instances of each profile are still to be placed.
    missing: Vec<i32>,
    /// Instances that are there already.
    kept: Vec<(usize, i32)>,
    /// Profiles still to be placed, one entry per instance.
    order: Vec<usize>,
    chosen: Vec<(usize, i32)>,
    seen: Seen,
    /// The best so far, without the instances that are there already.
    best: Option<Packed>,
}

impl<'a> Packing<'a> {
    pub(super) fn new(hardware: &'a Hardware<'a>) -> Self {
        Self {
            ground: Ground::empty(hardware),
            missing: Vec::new(),
            kept: Vec::new(),
            order: Vec::new(),
            chosen: Vec::new(),
            seen: Seen::default(),
            best: None,
        }
    }

    /// Begins anew on an empty GPU, on which so many of each profile are wanted.
    pub(super) fn begin(&mut self, demand: &[i32]) {
        self.ground.clear();
        self.missing.clear();
        self.missing.extend_from_slice(demand);
        self.kept.clear();
        self.order.clear();
        self.best = None;
    }

    /// Puts an existing instance on the GPU; if it is kept, it is one of those that are wanted.
    pub(super) fn stand(&mut self, standing: &Standing<'_>, is_kept: bool) {
        self.ground.stand(standing);
        if let Some(profile) = standing.profile.filter(|_| is_kept) {
            self.missing[profile] -= 1;
            self.kept.push((profile, standing.existing.start));
        }
    }

    /// The best places for what is missing.
    pub(super) fn pack(&mut self) -> Option<Packed> {
        if !self.ground.reserve(&self.missing) {
            return None;
        }
        for (profile, &number) in self.missing.iter().enumerate() {
            self.order.extend((0..number).map(|_| profile));
        }
        self.seen.begin(self.order.len(), self.ground.memory());
        self.descend(self.ground.taken());
        let mut best = self.best.take()?;
        best.starts.extend_from_slice(&self.kept);
        best.starts.sort_unstable();
        Some(best)
    }

    fn descend(&mut self, taken: Slices) {
        if !self.seen.is_first(self.chosen.len(), taken) {
            return;
        }
        let Some(&profile) = self.order.get(self.chosen.len()) else {
            self.weigh(taken);
            return;
        };
        for place in self.ground.places(profile) {
            if place.slices & taken == 0 {
                self.chosen.push((profile, place.start));
                self.descend(taken | place.slices);
                self.chosen.pop();
            }
        }
    }

    fn weigh(&mut self, taken: Slices) {
        let spare = || self.ground.spare(taken);
        // Compared before anything is allocated: most placements are not the best.
        let is_better = |best: &Packed| spare().gt(best.spare.0.iter().copied());
        if self.best.as_ref().is_none_or(is_better) {
            self.best = Some(Packed {
                spare: Reverse(spare().collect()),
                starts: self.chosen.clone(),
            });
        }
    }
}

/// Slices taken after so many instances. What can follow depends on nothing else, and whoever came here first had the
/// lower starts: so each is followed once, which bounds the search by the number of instances times that of the sets
/// of slices.
#[derive(Default)]
struct Seen {
    bits: Vec<u64>,
    memory: u32,
}

impl Seen {
    fn begin(&mut self, instances: usize, memory: u32) {
        let states = (instances + 1) << memory;
        self.bits.clear();
        self.bits.resize(states.div_ceil(64), 0);
        self.memory = memory;
    }

    /// Whether nobody came here before.
    fn is_first(&mut self, instances: usize, taken: Slices) -> bool {
        let state = (instances << self.memory) | usize::from(taken);
        let (word, bit) = (state / 64, 1_u64 << (state % 64));
        let is_first = self.bits[word] & bit == 0;
        self.bits[word] |= bit;
        is_first
    }
}
