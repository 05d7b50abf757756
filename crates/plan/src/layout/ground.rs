//! What is taken on a GPU, and what is left.

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
    room: Vec<i32>,
    engines: Engines,
}

impl<'a> Ground<'a> {
    pub(super) fn empty(hardware: &'a Hardware<'a>) -> Self {
        let mut ground = Self {
            hardware,
            taken: 0,
            compute: 0,
            room: Vec::with_capacity(hardware.profiles.len()),
            engines: Engines::default(),
        };
        ground.clear();
        ground
    }

    /// Takes everything off the GPU.
    pub(super) fn clear(&mut self) {
        self.taken = 0;
        self.compute = self.hardware.compute;
        self.engines = Engines::default();
        self.room.clear();
        let profiles = self.hardware.profiles.iter();
        self.room.extend(profiles.map(|profile| profile.offer.max));
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
    /// enough, or too few memory slices. What stands already may be too much for itself, and hinders nobody who needs
    /// none of it.
    pub(super) fn reserve(&mut self, missing: &[i32]) -> bool {
        let mut suffices = true;
        let mut memory = 0;
        let missing = missing.iter().enumerate();
        for (profile, &number) in missing.filter(|(_, number)| **number > 0) {
            let offered = &self.hardware.profiles[profile];
            self.room[profile] -= number;
            self.compute -= number * offered.offer.slices;
            self.engines.add(offered.media, number);
            memory += offered.size * number.cast_unsigned();
            let has_engines = self.engines.suffice() || offered.media == Media::Nothing;
            suffices &= self.room[profile] >= 0 && self.compute >= 0 && has_engines;
        }
        let all = Slices::MAX >> (Slices::BITS - self.memory().max(1));
        suffices && memory <= (all & !self.taken).count_ones()
    }

    pub(super) const fn taken(&self) -> Slices {
        self.taken
    }

    pub(super) const fn memory(&self) -> u32 {
        self.hardware.memory
    }

    pub(super) fn places(&self, profile: usize) -> &'a [Place] {
        self.hardware.places(&self.hardware.profiles[profile])
    }

    /// How many more of each profile would fit, each for itself, with these slices taken.
    pub(super) fn spare(&self, taken: Slices) -> impl Iterator<Item = i32> {
        let profiles = 0..self.hardware.profiles.len();
        profiles.map(move |profile| self.spare_of(profile, taken))
    }

    /// The places of a profile are of one size, so that taking them from the left is best.
    fn spare_of(&self, profile: usize, mut taken: Slices) -> i32 {
        let offered = &self.hardware.profiles[profile];
        let compute = self.compute / offered.offer.slices.max(1);
        let engines = self.engines.room(offered.media);
        let most = compute.min(self.room[profile]).min(engines);
        let mut number = 0;
        for place in self.hardware.places(offered) {
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
