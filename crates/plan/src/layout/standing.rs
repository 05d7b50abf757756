//! The instances that are on the GPU now, as bits.

use std::collections::BTreeMap;

use super::hardware::{Hardware, Slices, slices};
use super::media::Media;
use super::{Existing, Infeasible, Occupancy};
use crate::profile::ProfileName;

/// Existing instances, one bit each. They share no memory slice, so there are no more of them than slices.
pub(super) type Instances = Slices;

/// An existing instance.
pub(super) struct Standing<'a> {
    pub(super) existing: &'a Existing,
    /// Its profile in the hardware's list. None: not on offer.
    pub(super) profile: Option<usize>,
    pub(super) slices: Slices,
    /// Compute slices.
    pub(super) compute: i32,
    pub(super) media: Media,
    pub(super) movable: bool,
    /// Whether it can be part of what is wanted: a whole device at a place that the driver offers for its profile.
    pub(super) keepable: bool,
}

/// Reads the existing instances; they must be possible together.
pub(super) fn standing<'a>(
    hardware: &Hardware<'_>,
    existing: &'a [Existing],
) -> Result<Vec<Standing<'a>>, Infeasible> {
    let mut taken = 0;
    let mut standing = Vec::with_capacity(existing.len());
    // By start: no answer depends on the order in which instances are read.
    let mut existing: Vec<_> = existing.iter().collect();
    existing.sort_by_key(|it| (it.start, it.size));
    for existing in existing {
        let bits = slices(existing.start, existing.size)
            .filter(|bits| bits & taken == 0)
            .ok_or_else(|| Infeasible::Implausible {
                profile: existing.profile.clone(),
                start: existing.start,
                size: existing.size,
            })?;
        taken |= bits;
        standing.push(Standing::new(hardware, existing, bits));
    }
    Ok(standing)
}

impl<'a> Standing<'a> {
    fn new(hardware: &Hardware<'_>, existing: &'a Existing, slices: Slices) -> Self {
        let profile = hardware.find(&existing.profile);
        let is_offered = |profile: usize| {
            let mut places = hardware.places(&hardware.profiles[profile]).iter();
            places.any(|place| place.start == existing.start && place.slices == slices)
        };
        let by_name = || existing.profile.parse::<ProfileName>().ok();
        let compute = match profile {
            Some(profile) => hardware.profiles[profile].offer.slices,
            None => by_name().map_or(existing.size, |name| name.slices.cast_signed()),
        };
        Self {
            existing,
            profile,
            slices,
            compute,
            media: match profile {
                Some(profile) => hardware.profiles[profile].media,
                None => Media::of(&existing.profile),
            },
            movable: !matches!(existing.occupancy, Occupancy::Unmovable(_)),
            keepable: existing.whole && profile.is_some_and(is_offered),
        }
    }

    /// Whether nothing but their pods distinguishes the two.
    pub(super) fn is_shaped_like(&self, other: &Self) -> bool {
        let shape = |it: &Self| (it.profile, it.slices, it.compute, it.media);
        shape(self) == shape(other)
            && self.movable == other.movable
            && self.keepable == other.keepable
    }

    /// Pods that would have to leave it.
    pub(super) fn pods(&self) -> impl Iterator<Item = &'a String> + use<'a> {
        match &self.existing.occupancy {
            Occupancy::Pods(pods) => Some(pods),
            Occupancy::Free | Occupancy::Unmovable(_) => None,
        }
        .into_iter()
        .flatten()
    }
}

/// The instances that each pod holds.
pub(super) fn held<'a>(standing: &[Standing<'a>]) -> BTreeMap<&'a str, Instances> {
    let mut held: BTreeMap<&str, Instances> = BTreeMap::new();
    for (index, standing) in standing.iter().enumerate() {
        for pod in standing.pods() {
            *held.entry(pod).or_default() |= 1 << index;
        }
    }
    held
}

/// How many of the pods that count hold exactly these instances.
pub(super) fn pods(
    held: &BTreeMap<&str, Instances>,
    counts: impl Fn(&str) -> bool,
) -> Vec<(Instances, usize)> {
    let mut numbers: Vec<(Instances, usize)> = Vec::new();
    for (_, instances) in held.iter().filter(|(pod, _)| counts(pod)) {
        match numbers.iter_mut().find(|(on, _)| on == instances) {
            Some((_, number)) => *number += 1,
            None => numbers.push((*instances, 1)),
        }
    }
    numbers
}
