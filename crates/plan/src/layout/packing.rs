//! Where new instances go: every placement around those that stay.

use std::cmp::Reverse;
use std::collections::HashSet;

use super::hardware::{Hardware, Slices};

/// A GPU with the instances that stay.
#[derive(Clone, Debug)]
pub(super) struct Ground<'a> {
    hardware: &'a Hardware<'a>,
    taken: Slices,
    /// Compute slices that are left.
    compute: i32,
    /// How many instances of each profile there may still be.
    room: Vec<i32>,
}

/// A complete placement. The least is the best.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Packed {
    /// How many more instances of each profile would fit, each profile for itself, the largest first.
    spare: Reverse<Vec<i32>>,
    /// Profile and start of every instance, the largest profile first.
    pub(super) starts: Vec<(usize, i32)>,
}

impl<'a> Ground<'a> {
    pub(super) fn empty(hardware: &'a Hardware<'a>) -> Self {
        let profiles = hardware.profiles.iter();
        Self {
            hardware,
            taken: 0,
            compute: hardware.compute,
            room: profiles.map(|profile| profile.offer.max).collect(),
        }
    }

    pub(super) fn stand(&mut self, profile: Option<usize>, slices: Slices, compute: i32) {
        self.taken |= slices;
        self.compute -= compute;
        if let Some(profile) = profile {
            self.room[profile] -= 1;
        }
    }

    /// How many more of a profile would fit. Its places are of one size, so that taking them from the left is best.
    fn spare(&self, profile: usize, mut taken: Slices) -> i32 {
        let offered = &self.hardware.profiles[profile];
        let mut number = 0;
        for place in &offered.places {
            if place.slices & taken == 0 {
                taken |= place.slices;
                number += 1;
            }
        }
        let compute = self.compute / offered.offer.slices.max(1);
        number.min(compute).min(self.room[profile]).max(0)
    }
}

/// The best places on `ground` for `missing` instances of each profile; `kept` are those that are there.
pub(super) fn pack(
    mut ground: Ground<'_>,
    missing: &[i32],
    kept: &[(usize, i32)],
) -> Option<Packed> {
    let mut order = Vec::new();
    for (profile, &number) in missing.iter().enumerate() {
        ground.room[profile] -= number;
        ground.compute -= number * ground.hardware.profiles[profile].offer.slices;
        order.extend((0..number).map(|_| profile));
    }
    let crowded = missing
        .iter()
        .zip(&ground.room)
        .any(|(&number, &room)| number > 0 && room < 0);
    if crowded || (ground.compute < 0 && !order.is_empty()) {
        return None;
    }
    let mut packing = Packing {
        chosen: Vec::with_capacity(order.len()),
        seen: HashSet::new(),
        best: None,
        order,
        ground: &ground,
    };
    packing.descend(ground.taken);
    let mut best = packing.best?;
    best.starts.extend(kept);
    best.starts.sort_unstable();
    Some(best)
}

/// A depth-first search, the largest profile and the lowest start first.
struct Packing<'a> {
    ground: &'a Ground<'a>,
    /// Profiles still to be placed, one entry per instance.
    order: Vec<usize>,
    chosen: Vec<(usize, i32)>,
    /// Slices taken after so many instances. What can follow depends on nothing else, and whoever came here first had
    /// the lower starts.
    seen: HashSet<(usize, Slices)>,
    /// The best so far, without the instances that are there already.
    best: Option<Packed>,
}

impl Packing<'_> {
    fn descend(&mut self, taken: Slices) {
        let hardware = self.ground.hardware;
        if !self.seen.insert((self.chosen.len(), taken)) || self.need() > self.free(taken) {
            return;
        }
        let Some(&profile) = self.order.get(self.chosen.len()) else {
            self.weigh(taken);
            return;
        };
        for place in &hardware.profiles[profile].places {
            if place.slices & taken == 0 {
                self.chosen.push((profile, place.start));
                self.descend(taken | place.slices);
                self.chosen.pop();
            }
        }
    }

    fn weigh(&mut self, taken: Slices) {
        let profiles = 0..self.ground.hardware.profiles.len();
        let spare = Reverse(
            profiles
                .map(|profile| self.ground.spare(profile, taken))
                .collect(),
        );
        if self.best.as_ref().is_none_or(|best| spare < best.spare) {
            self.best = Some(Packed {
                spare,
                starts: self.chosen.clone(),
            });
        }
    }

    /// Memory slices that the instances still to be placed take at least.
    fn need(&self) -> u32 {
        let rest = self.order.iter().skip(self.chosen.len());
        rest.map(|&profile| self.ground.hardware.profiles[profile].size)
            .sum()
    }

    fn free(&self, taken: Slices) -> u32 {
        let all = Slices::MAX >> (Slices::BITS - self.ground.hardware.memory.max(1));
        (all & !taken).count_ones()
    }
}
