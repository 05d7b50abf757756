//! Every legal set of instances of a product, by plain enumeration of all its places.
//!
//! It shares nothing with the search: it reads the products' own table, and it knows the engines themselves where the
//! search knows only names.

use std::collections::{BTreeMap, HashMap};

use crds::gpu_node::{PlacedProfile, ProfileOffer};
use products::{Mig, Profile};

/// Instances, one bit for each place of each profile: the largest profile first, by start.
pub type Set = u32;

/// A place of a profile.
pub struct Spot {
    pub profile: &'static Profile,
    pub start: u32,
    /// The profile's rank among all, the largest first.
    pub rank: usize,
}

/// A product, and all that can stand on it.
pub struct Hardware {
    pub offers: Vec<ProfileOffer>,
    pub profiles: Vec<&'static Profile>,
    pub spots: Vec<Spot>,
    /// Every legal set, with how many more of each profile would fit beside it.
    pub legal: HashMap<Set, Vec<i32>>,
    /// Every legal set by its numbers of each profile.
    pub layouts: BTreeMap<Vec<i32>, Vec<Set>>,
}

impl Hardware {
    pub fn new(mig: &'static Mig) -> Self {
        let mut profiles: Vec<_> = mig.profiles.iter().collect();
        profiles.sort_by_key(|p| {
            let size = (p.compute_slices, p.memory_mib);
            (std::cmp::Reverse(size), p.name)
        });
        let places = profiles.iter().enumerate().flat_map(|(rank, &profile)| {
            let starts = profile.starts.iter();
            starts.map(move |&start| Spot {
                profile,
                start,
                rank,
            })
        });
        let mut hardware = Self {
            offers: mig.offers(),
            spots: places.collect(),
            profiles,
            legal: HashMap::new(),
            layouts: BTreeMap::new(),
        };
        let mut every = Vec::new();
        hardware.grow(mig, 0, 0, &mut every);
        hardware.legal = every.iter().map(|&set| (set, Vec::new())).collect();
        for &set in &every {
            let ranks = 0..hardware.profiles.len();
            let spare = ranks.map(|rank| hardware.most_more(set, rank)).collect();
            hardware.legal.insert(set, spare);
            let numbers = hardware.numbers(set);
            hardware.layouts.entry(numbers).or_default().push(set);
        }
        hardware
    }

    /// Takes or leaves each place in turn. A set that is illegal is a part of no legal one.
    fn grow(&self, mig: &Mig, next: usize, set: Set, every: &mut Vec<Set>) {
        if !self.is_legal(mig, set) {
            return;
        }
        if next == self.spots.len() {
            every.push(set);
            return;
        }
        self.grow(mig, next + 1, set, every);
        self.grow(mig, next + 1, set | 1 << next, every);
    }

    fn is_legal(&self, mig: &Mig, set: Set) -> bool {
        let (mut compute, mut media, mut memory) = (0, [0; 4], 0_u32);
        for spot in self.spots(set) {
            let slices = ((1 << spot.profile.memory_slices) - 1) << spot.start;
            if memory & slices != 0 {
                return false;
            }
            memory |= slices;
            compute += spot.profile.compute_slices;
            for (sum, engines) in media.iter_mut().zip(spot.profile.engines.media()) {
                *sum += engines;
            }
        }
        let most = |profile: &Profile| {
            let like = self.spots(set).filter(|spot| spot.profile.id == profile.id);
            like.count() <= profile.max_instances as usize
        };
        compute <= mig.compute_slices
            && media.iter().zip(mig.media()).all(|(sum, all)| *sum <= all)
            && mig.profiles.iter().all(most)
    }

    /// How many of a profile can be added, by trying every way.
    fn most_more(&self, set: Set, rank: usize) -> i32 {
        let spots = self.spots.iter().enumerate();
        let more = spots
            .filter(|(index, spot)| spot.rank == rank && set & 1 << index == 0)
            .map(|(index, _)| set | 1 << index)
            .filter(|more| self.legal.contains_key(more));
        more.map(|more| 1 + self.most_more(more, rank))
            .max()
            .unwrap_or(0)
    }

    pub fn numbers(&self, set: Set) -> Vec<i32> {
        let mut numbers = vec![0; self.profiles.len()];
        for spot in self.spots(set) {
            numbers[spot.rank] += 1;
        }
        numbers
    }

    pub fn spots(&self, set: Set) -> impl Iterator<Item = &Spot> {
        let spots = self.spots.iter().enumerate();
        spots
            .filter(move |(index, _)| set & 1 << index != 0)
            .map(|(_, spot)| spot)
    }

    /// Instances as the search names them. None: it is no place of a profile, or they are not by start, or one is twice.
    pub fn read(&self, placed: &[PlacedProfile]) -> Option<Set> {
        let mut set = 0;
        let mut last = None;
        for at in placed {
            let is = |spot: &Spot| {
                spot.start.cast_signed() == at.start && spot.profile.name == at.profile
            };
            let bit = 1 << self.spots.iter().position(is)?;
            if set & bit != 0 || last > Some(at.start) {
                return None;
            }
            (set, last) = (set | bit, Some(at.start));
        }
        Some(set)
    }

    /// Numbers by profile, as they are asked for.
    pub fn wanted(&self, numbers: &[i32]) -> BTreeMap<String, i32> {
        let each = self.profiles.iter().zip(numbers);
        let some = each.filter(|(_, number)| **number > 0);
        some.map(|(profile, number)| (profile.name.to_owned(), *number))
            .collect()
    }

    /// All that planning can see of a product, but for names and amounts: products alike in this are alike in all.
    pub fn shape(&self) -> Vec<(u32, u32, &'static [u32], u32, &'static str)> {
        let of = |p: &&'static Profile| {
            let attribute = p.name.find(['+', '-']).map_or("", |at| &p.name[at..]);
            (
                p.compute_slices,
                p.memory_slices,
                p.starts,
                p.max_instances,
                attribute,
            )
        };
        self.profiles.iter().map(of).collect()
    }
}
