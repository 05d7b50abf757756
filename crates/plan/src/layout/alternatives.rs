//! The nearest layouts that can be had instead of one that cannot.

use std::collections::{BTreeMap, BTreeSet};

use crds::gpu_node::ProfileOffer;

use super::hardware::{Hardware, Slices};
use super::media::Engines;
use super::standing::standing;
use super::{Existing, Occupancy};
use crate::profile::ProfileName;

/// So many are worth reading.
const MOST: usize = 3;

/// The nearest layouts that can be had on a GPU with these `offers` beside the `existing` instances that must not be
/// destroyed: numbers by profile, the nearest first, at most 3. The wanted layout itself is not among them.
///
/// How far a layout is from the wanted one: both are lined up from their largest instance to their smallest, and the
/// differences in compute slices are added up, an instance without a counterpart counting whole; of two that are as far
/// the one with the smaller differences in memory slices is nearer; then the one that replaces fewer instances. So
/// `3g.20gb=2` and `3g.20gb=1,2g.10gb=1,1g.5gb=1` are the nearest to `3g.20gb=2,1g.5gb=1`, which an A100 has no room for.
pub fn alternatives(
    offers: &[ProfileOffer],
    existing: &[Existing],
    wanted: &BTreeMap<String, i32>,
) -> Vec<BTreeMap<String, i32>> {
    let Ok(hardware) = Hardware::new(offers) else {
        return Vec::new();
    };
    let is_unmovable = |it: &&Existing| matches!(it.occupancy, Occupancy::Unmovable(_));
    let obstacles: Vec<_> = existing.iter().filter(is_unmovable).cloned().collect();
    let wish = Wish::new(&hardware, wanted);
    let Some(mut every) = Every::around(&hardware, &obstacles, &wish) else {
        return Vec::new();
    };
    every.grow(0);
    let name = |numbers: Vec<i32>| {
        let named = hardware.profiles.iter().zip(numbers);
        let some = named.filter(|(_, number)| *number > 0);
        some.map(|(profile, number)| (profile.offer.name.clone(), number))
            .collect()
    };
    let nearest = every.nearest.into_iter();
    nearest.map(|(_, numbers)| name(numbers)).collect()
}

/// What is wanted, in a form that distances can be taken from.
struct Wish {
    /// How many of each profile on offer.
    numbers: Vec<i32>,
    /// How many of profiles that are not on offer.
    strangers: i32,
    /// Compute and memory slices of every instance, the largest first.
    sizes: Vec<(i32, i32)>,
}

/// More instances than any GPU holds: what is beyond makes no layout nearer than another.
const ENOUGH: i32 = 32;

impl Wish {
    fn new(hardware: &Hardware<'_>, wanted: &BTreeMap<String, i32>) -> Self {
        let mut wish = Self {
            numbers: vec![0; hardware.profiles.len()],
            strangers: 0,
            sizes: Vec::new(),
        };
        for (profile, &number) in wanted {
            let number = number.clamp(0, ENOUGH);
            let size = if let Some(index) = hardware.find(profile) {
                wish.numbers[index] += number;
                size(hardware, index)
            } else {
                wish.strangers += number;
                // Its memory slices are unknown; most profiles have as many of both.
                let name = profile.parse::<ProfileName>();
                let slices = name.map_or(0, |name| name.slices.cast_signed());
                (slices, slices)
            };
            wish.sizes.extend((0..number).map(|_| size));
        }
        wish.sizes.sort_unstable_by(|one, other| other.cmp(one));
        wish
    }

    fn distance(&self, hardware: &Hardware<'_>, numbers: &[i32]) -> Distance {
        let each = numbers.iter().enumerate();
        let mut sizes: Vec<_> = each
            .flat_map(|(profile, &number)| (0..number).map(move |_| size(hardware, profile)))
            .collect();
        sizes.sort_unstable_by(|one, other| other.cmp(one));
        let longest = sizes.len().max(self.sizes.len());
        let at = |sizes: &[(i32, i32)], index| sizes.get(index).copied().unwrap_or_default();
        let pairs = (0..longest).map(|index| (at(&sizes, index), at(&self.sizes, index)));
        let differ = pairs.map(|(one, other)| ((one.0 - other.0).abs(), (one.1 - other.1).abs()));
        let (compute, memory) = differ.fold((0, 0), |sum, it| (sum.0 + it.0, sum.1 + it.1));
        let replaced = numbers.iter().zip(&self.numbers);
        Distance {
            compute,
            memory,
            replaced: self.strangers
                + replaced
                    .map(|(one, other)| (one - other).abs())
                    .sum::<i32>(),
        }
    }
}

fn size(hardware: &Hardware<'_>, profile: usize) -> (i32, i32) {
    let profile = &hardware.profiles[profile];
    (profile.offer.slices, profile.size.cast_signed())
}

/// The order of the fields is the order of what matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Distance {
    compute: i32,
    memory: i32,
    replaced: i32,
}

/// Walks through all numbers of instances that there is a placement for. There are no more than a few hundred of them
/// on any GPU: each adds one instance to one before, and is given up when no set of slices has room for it.
struct Every<'a> {
    hardware: &'a Hardware<'a>,
    wish: &'a Wish,
    /// The unmovable instances that are whole devices, by profile: they can count as wanted.
    there: Vec<i32>,
    /// What is placed beside them.
    numbers: Vec<i32>,
    room: Vec<i32>,
    compute: i32,
    engines: Engines,
    /// All sets of slices that these instances can take.
    taken: BTreeSet<Slices>,
    nearest: Vec<(Distance, Vec<i32>)>,
}

impl<'a> Every<'a> {
    fn around(hardware: &'a Hardware<'a>, obstacles: &[Existing], wish: &'a Wish) -> Option<Self> {
        let none = vec![0; hardware.profiles.len()];
        let profiles = hardware.profiles.iter();
        let mut every = Self {
            hardware,
            wish,
            there: none.clone(),
            numbers: none,
            room: profiles.map(|profile| profile.offer.max).collect(),
            compute: hardware.compute,
            engines: Engines::default(),
            taken: BTreeSet::new(),
            nearest: Vec::new(),
        };
        let mut taken = 0;
        for standing in standing(hardware, obstacles).ok()? {
            taken |= standing.slices;
            every.compute -= standing.compute;
            every.engines.add(standing.media, 1);
            if let Some(profile) = standing.profile {
                every.room[profile] -= 1;
                every.there[profile] += i32::from(standing.keepable);
            }
        }
        every.taken.insert(taken);
        Some(every)
    }

    /// Looks at the numbers as they are, and then at all that have more of a profile from `first` on.
    fn grow(&mut self, first: usize) {
        self.look();
        for profile in first..self.hardware.profiles.len() {
            let offered = &self.hardware.profiles[profile];
            let (slices, media) = (offered.offer.slices, offered.media);
            let is_room =
                self.room[profile] > 0 && self.compute >= slices && self.engines.room(media) > 0;
            if !is_room {
                continue;
            }
            let more = self.with(profile);
            if more.is_empty() {
                continue;
            }
            let before = std::mem::replace(&mut self.taken, more);
            self.count(profile, 1);
            self.grow(profile);
            self.count(profile, -1);
            self.taken = before;
        }
    }

    fn with(&self, profile: usize) -> BTreeSet<Slices> {
        let places = self.hardware.places(&self.hardware.profiles[profile]);
        let free = |taken: Slices| {
            let free = places.iter().filter(move |place| place.slices & taken == 0);
            free.map(move |place| place.slices | taken)
        };
        self.taken.iter().flat_map(|taken| free(*taken)).collect()
    }

    fn count(&mut self, profile: usize, number: i32) {
        let offered = &self.hardware.profiles[profile];
        self.numbers[profile] += number;
        self.room[profile] -= number;
        self.compute -= number * offered.offer.slices;
        self.engines.add(offered.media, number);
    }

    fn look(&mut self) {
        let each = self.numbers.iter().zip(&self.there).zip(&self.wish.numbers);
        // What is there already counts as wanted where more is wanted than is placed.
        let numbers: Vec<_> = each
            .map(|((placed, there), wanted)| placed + (wanted - placed).clamp(0, *there))
            .collect();
        let is_nothing = numbers.iter().all(|number| *number == 0);
        let is_wanted = self.wish.strangers == 0 && numbers == self.wish.numbers;
        if is_nothing || is_wanted {
            return;
        }
        let found = (self.wish.distance(self.hardware, &numbers), numbers);
        // Of two that are as far, the one with more of the largest profile.
        let key = |it: &(Distance, Vec<i32>)| (it.0, std::cmp::Reverse(it.1.clone()));
        if let Err(place) = self.nearest.binary_search_by_key(&key(&found), key) {
            self.nearest.insert(place, found);
            self.nearest.truncate(MOST);
        }
    }
}
