//! What is taken on a GPU, and what is left.

use super::Numbers;
use super::hardware::{Hardware, Place, Slices};
use super::media::{Engines, Media};
use super::standing::Standing;

/// What is taken on a GPU.
#[derive(Clone, Debug)]
pub(super) struct Ground<'a> {
    hardware: &'a Hardware<'a>,
    taken: Slices,
    /// Compute slices that are left.
    compute: i32,
    /// How many instances of each profile there may still be.
    room: Numbers,
    engines: Engines,
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
    /// enough. What stands already may be too much for itself, and hinders nobody who needs none of it.
    pub(super) fn reserve(&mut self, missing: &[i32]) -> bool {
        let mut suffices = true;
        let missing = missing.iter().enumerate();
        for (profile, &number) in missing.filter(|(_, number)| **number > 0) {
            let offered = &self.hardware.profiles[profile];
            self.room[profile] -= number;
            self.compute -= number * offered.offer.slices;
            self.engines.add(offered.media, number);
            let has_engines = self.engines.suffice() || offered.media == Media::Nothing;
            suffices &= self.room[profile] >= 0 && self.compute >= 0 && has_engines;
        }
        suffices
    }

    /// What is left of it.
    pub(super) fn rest(&self) -> Rest<'a> {
        let each = self.hardware.profiles.iter().zip(&self.room);
        let most = each.map(|(profile, room)| {
            let compute = self.compute / profile.offer.slices.max(1);
            compute.min(*room).min(self.engines.room(profile.media))
        });
        Rest {
            hardware: self.hardware,
            taken: self.taken,
            most: most.collect(),
        }
    }
}

/// What is left on a GPU.
#[derive(Clone, Debug)]
pub(super) struct Rest<'a> {
    hardware: &'a Hardware<'a>,
    taken: Slices,
    /// How many more instances of each profile there may be, wherever they stand.
    most: Numbers,
}

impl Rest<'_> {
    /// How many more of each profile would fit, each for itself, with these slices taken too.
    pub(super) fn spare(&self, taken: Slices) -> Numbers {
        let each = self.hardware.profiles.iter().zip(&self.most);
        let spare = each.map(|(profile, most)| {
            let places = self.hardware.places(profile);
            spare(places, *most, self.taken | taken)
        });
        spare.collect()
    }
}

/// How many instances fit at places of one size, so that taking them from the left is best.
fn spare(places: &[Place], most: i32, mut taken: Slices) -> i32 {
    let mut number = 0;
    for place in places {
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
