//! What a GPU can hold, as bits over its memory slices.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crds::gpu_node::{PlacedProfile, ProfileOffer};

use super::media::Media;
use super::{Infeasible, Starts};

/// Memory slices, one bit each. NVIDIA's GPUs have 4, 8 or 12.
pub(super) type Slices = u16;

/// The slices from `start`, if there can be such.
pub(super) fn slices(start: i32, size: i32) -> Option<Slices> {
    let start = u32::try_from(start).ok()?;
    let size = u32::try_from(size).ok().filter(|&size| size > 0)?;
    (start.checked_add(size)? <= Slices::BITS)
        .then(|| (Slices::MAX >> (Slices::BITS - size)) << start)
}

/// A place that a profile may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) start: i32,
    pub(super) slices: Slices,
}

/// A profile on offer.
#[derive(Clone, Debug)]
pub(super) struct Profile<'a> {
    pub(super) offer: &'a ProfileOffer,
    /// Which of the hardware's places are its own.
    places: (usize, usize),
    /// Memory slices of the smallest place.
    pub(super) size: u32,
    pub(super) media: Media,
}

/// A GPU without instances.
#[derive(Clone, Debug)]
pub(crate) struct Hardware<'a> {
    /// What is on offer, the largest first: by compute slices, then by memory, then by name.
    pub(super) profiles: Vec<Profile<'a>>,
    /// Profile by profile, in one piece: a planner makes one of these for each GPU.
    places: Vec<Place>,
    /// Compute slices.
    pub(super) compute: i32,
    /// Memory slices.
    pub(super) memory: u32,
}

impl<'a> Hardware<'a> {
    pub(crate) fn new(offers: &'a [ProfileOffer]) -> Result<Self, Infeasible> {
        let mut places = Vec::with_capacity(offers.iter().map(|it| it.placements.len()).sum());
        let mut profiles = Vec::with_capacity(offers.len());
        for offer in offers {
            profiles.push(profile(offer, &mut places)?);
        }
        profiles.sort_by_key(|profile| by_size(profile.offer));
        let most = offers.iter().map(|offer| offer.slices).max();
        let memory = places.iter().fold(0, |all, place| all | place.slices);
        Ok(Self {
            compute: most.ok_or(Infeasible::NothingOffered)?,
            memory: Slices::BITS - memory.leading_zeros(),
            places,
            profiles,
        })
    }

    /// Where a profile may stand, by start. All places of a profile are of one size, as NVML has it.
    pub(super) fn places(&self, profile: &Profile<'_>) -> &[Place] {
        let (from, to) = profile.places;
        &self.places[from..to]
    }

    pub(super) fn offers_the_same(&self, other: &Self) -> bool {
        let (own, others) = (self.profiles.iter(), other.profiles.iter());
        own.map(|it| it.offer).eq(others.map(|it| it.offer))
    }

    pub(super) fn find(&self, profile: &str) -> Option<usize> {
        self.profiles
            .iter()
            .position(|candidate| candidate.offer.name == profile)
    }

    /// How many of each profile are wanted, in the order of `profiles`.
    pub(crate) fn demand(&self, wanted: &BTreeMap<String, i32>) -> Result<Vec<i32>, Infeasible> {
        let mut demand = vec![0; self.profiles.len()];
        for (profile, &number) in wanted.iter().filter(|&(_, &number)| number > 0) {
            let index = self
                .find(profile)
                .ok_or_else(|| self.not_offered(profile))?;
            let max = self.profiles[index].offer.max;
            if number > max {
                return Err(Infeasible::TooMany {
                    profile: profile.clone(),
                    wanted: number,
                    max,
                });
            }
            demand[index] = number;
        }
        Ok(demand)
    }

    /// The instances in the driver's terms, by start.
    pub(crate) fn instances(&self, starts: &Starts) -> Vec<PlacedProfile> {
        let placed = |&(profile, start): &(usize, i32)| PlacedProfile {
            start,
            profile: self.profiles[profile].offer.name.clone(),
        };
        let mut instances: Vec<_> = starts.iter().map(placed).collect();
        instances.sort_unstable();
        instances
    }

    fn not_offered(&self, profile: &str) -> Infeasible {
        let offers = self.profiles.iter().map(|profile| &profile.offer.name);
        Infeasible::NotOffered {
            profile: profile.to_owned(),
            offered: offers.cloned().collect(),
        }
    }
}

/// The largest first: by compute slices, then by memory, then by name.
pub(crate) fn by_size(offer: &ProfileOffer) -> (Reverse<i32>, Reverse<i64>, &str) {
    (
        Reverse(offer.slices),
        Reverse(offer.memory_mib),
        &offer.name,
    )
}

/// The profile; its places are added to those of the others.
fn profile<'a>(
    offer: &'a ProfileOffer,
    places: &mut Vec<Place>,
) -> Result<Profile<'a>, Infeasible> {
    let from = places.len();
    for at in &offer.placements {
        let slices = slices(at.start, at.size).ok_or_else(|| Infeasible::Implausible {
            profile: offer.name.clone(),
            start: at.start,
            size: at.size,
        })?;
        let start = at.start;
        places.push(Place { start, slices });
    }
    let own = &mut places[from..];
    own.sort_by_key(|place| (place.start, place.slices));
    let size = own.iter().map(|place| place.slices.count_ones()).min();
    Ok(Profile {
        offer,
        places: (from, places.len()),
        size: size.unwrap_or_default(),
        media: Media::of(&offer.name),
    })
}
