//! Every way to place instances around those that stay, and the best of them.

use std::cmp::Reverse;

use super::hardware::{Hardware, Slices};
use super::media::{Engines, Media};
use super::standing::Standing;

/// Profile and start of instances.
pub(super) type Places = Vec<(usize, i32)>;

/// What is taken on a GPU.
#[derive(Clone, Debug)]
pub(super) struct Ground<'a> {
    hardware: &'a Hardware<'a>,
    taken: Slices,
    /// Compute slices that are left.
    compute: i32,
    /// How many instances of each profile there may still be.
    room: Vec<i32>,
    engines: Engines,
}

/// A complete placement. The least is the best.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Packed {
    /// How many more instances of each profile would fit, each profile for itself, the largest first.
    pub(super) spare: Reverse<Vec<i32>>,
    /// Profile and start of every instance, the largest profile first.
    pub(super) starts: Places,
}

impl<'a> Ground<'a> {
    pub(super) fn empty(hardware: &'a Hardware<'a>) -> Self {
        let profiles = hardware.profiles.iter();
        Self {
            hardware,
            taken: 0,
            compute: hardware.compute,
            room: profiles.map(|profile| profile.offer.max).collect(),
            engines: Engines::default(),
        }
    }

    pub(super) fn stand(&mut self, standing: &Standing<'_>) {
        self.taken |= standing.slices;
        self.compute -= standing.compute;
        self.engines.add(standing.media, 1);
        if let Some(profile) = standing.profile {
            self.room[profile] -= 1;
        }
    }

    /// Sets compute slices, numbers and engines aside for so many more instances of each profile. False: there are not
    /// enough; what stands already may be too much for itself, and hinders nobody who needs none of it.
    fn reserve(&mut self, missing: &[i32]) -> bool {
        let mut suffices = true;
        for (profile, &number) in missing
            .iter()
            .enumerate()
            .filter(|(_, number)| **number > 0)
        {
            let offered = &self.hardware.profiles[profile];
            self.room[profile] -= number;
            self.compute -= number * offered.offer.slices;
            self.engines.add(offered.media, number);
            let is_engine_free = self.engines.suffice() || offered.media == Media::Nothing;
            suffices &= self.room[profile] >= 0 && self.compute >= 0 && is_engine_free;
        }
        suffices
    }

    /// Memory slices that so many instances of each profile take at least.
    fn need(&self, missing: &[i32]) -> u32 {
        let each = self.hardware.profiles.iter().zip(missing);
        each.map(|(profile, number)| profile.size * number.cast_unsigned())
            .sum()
    }

    fn free(&self, taken: Slices) -> u32 {
        let all = Slices::MAX >> (Slices::BITS - self.hardware.memory.max(1));
        (all & !taken).count_ones()
    }

    /// How many more of a profile would fit. Its places are of one size, so that taking them from the left is best.
    fn spare(&self, profile: usize, mut taken: Slices) -> i32 {
        let offered = &self.hardware.profiles[profile];
        let compute = self.compute / offered.offer.slices.max(1);
        let engines = self.engines.room(offered.media);
        let most = compute.min(self.room[profile]).min(engines);
        let mut number = 0;
        for place in &offered.places {
            if number >= most {
                break;
            }
            if place.slices & taken == 0 {
                taken |= place.slices;
                number += 1;
            }
        }
        number
    }
}

/// The best places on `ground` for `missing` instances of each profile; `kept` are those that are there.
pub(super) fn pack(
    mut ground: Ground<'_>,
    missing: &[i32],
    kept: &[(usize, i32)],
) -> Option<Packed> {
    if !ground.reserve(missing) || ground.need(missing) > ground.free(ground.taken) {
        return None;
    }
    let profiles = missing.iter().enumerate();
    let order: Vec<_> = profiles
        .flat_map(|(profile, &number)| (0..number).map(move |_| profile))
        .collect();
    let mut packing = Packing {
        chosen: Places::with_capacity(order.len()),
        seen: Seen::new(order.len(), ground.hardware.memory),
        best: None,
        order,
        ground: &ground,
    };
    packing.descend(ground.taken);
    let mut best = packing.best?;
    best.starts.extend_from_slice(kept);
    best.starts.sort_unstable();
    Some(best)
}

/// A depth-first search, the largest profile and the lowest start first.
struct Packing<'a> {
    ground: &'a Ground<'a>,
    /// Profiles still to be placed, one entry per instance.
    order: Vec<usize>,
    chosen: Places,
    seen: Seen,
    /// The best so far, without the instances that are there already.
    best: Option<Packed>,
}

impl Packing<'_> {
    fn descend(&mut self, taken: Slices) {
        let hardware = self.ground.hardware;
        if !self.seen.first(self.chosen.len(), taken) {
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
        let spare = || {
            profiles
                .clone()
                .map(|profile| self.ground.spare(profile, taken))
        };
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
struct Seen {
    bits: Vec<u64>,
    memory: u32,
}

impl Seen {
    fn new(instances: usize, memory: u32) -> Self {
        let states = (instances + 1) << memory;
        Self {
            bits: vec![0; states.div_ceil(64)],
            memory,
        }
    }

    /// Whether nobody came here before.
    fn first(&mut self, instances: usize, taken: Slices) -> bool {
        let state = (instances << self.memory) | usize::from(taken);
        let (word, bit) = (state / 64, 1_u64 << (state % 64));
        let is_first = self.bits[word] & bit == 0;
        self.bits[word] |= bit;
        is_first
    }
}
