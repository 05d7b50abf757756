//! Place by place, what keeps a wanted profile from it.

use std::fmt;

use crds::gpu_node::PlacedProfile;

use super::hardware::{Hardware, Profile, Slices};
use super::media::{Engines, Media};
use super::puzzle::Puzzle;
use super::standing::standing;
use super::{Existing, Obstacle, Occupancy};

/// A place that a wanted profile cannot have, and one thing that keeps it from there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockedPlace {
    /// The profile.
    pub profile: String,
    /// First memory slice of the place.
    pub start: i32,
    /// What keeps the profile from it.
    pub by: Blocker,
}

/// What keeps a profile from a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blocker {
    /// An instance that must not be destroyed.
    Instance(Obstacle),
    /// Another wanted instance, that has to stand there.
    Wanted(PlacedProfile),
    /// All other instances leave too few compute slices.
    Compute {
        /// Compute slices that the profile takes.
        needed: i32,
        /// Those that are left.
        left: i32,
    },
    /// This instance, which stays or is wanted too, has media engines that the profile needs.
    MediaEngines(PlacedProfile),
    /// The GPU has as many instances of the profile as it can have.
    Number {
        /// So many.
        max: i32,
    },
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instance(obstacle) => obstacle.fmt(f),
            Self::Wanted(PlacedProfile { start, profile }) => {
                write!(f, "{profile} at slice {start}, which is wanted too")
            }
            Self::Compute { needed, left } => {
                write!(f, "too few compute slices: {left} left of {needed} needed")
            }
            Self::MediaEngines(PlacedProfile { start, profile }) => {
                write!(f, "media engines that {profile} at slice {start} has")
            }
            Self::Number { max } => write!(f, "the GPU's maximum of {max} such instances"),
        }
    }
}

/// For each wanted profile of which not all can be had: its places, and everything that keeps it from each.
///
/// What can be had is found profile by profile, the largest first, each as often as there is a placement; the rest is
/// what has no place.
pub(super) fn places(
    hardware: &Hardware<'_>,
    demand: &[i32],
    existing: &[Existing],
) -> Vec<BlockedPlace> {
    let is_unmovable = |it: &&Existing| matches!(it.occupancy, Occupancy::Unmovable(_));
    let obstacles: Vec<_> = existing.iter().filter(is_unmovable).cloned().collect();
    let (part, layout) = most(hardware, demand, &obstacles);
    let crowd = Crowd::new(hardware, &obstacles, &layout);
    let short = (0..demand.len()).filter(|&profile| part[profile] < demand[profile]);
    short.flat_map(|profile| crowd.places(profile)).collect()
}

/// How many of each wanted profile can be had at once, the largest first, and where.
fn most(
    hardware: &Hardware<'_>,
    demand: &[i32],
    obstacles: &[Existing],
) -> (Vec<i32>, Vec<PlacedProfile>) {
    let mut part = vec![0; demand.len()];
    let mut layout = Vec::new();
    for (profile, &number) in demand.iter().enumerate() {
        while part[profile] < number {
            part[profile] += 1;
            let best = |puzzle: Puzzle<'_>| {
                let packings = puzzle.packings(&part);
                let best = puzzle.best(&packings)?;
                Some(hardware.instances(&best.packed.starts))
            };
            let puzzle = Puzzle::new(hardware, obstacles);
            let Some(found) = puzzle.ok().and_then(best) else {
                part[profile] -= 1;
                break;
            };
            layout = found;
        }
    }
    (part, layout)
}

/// Something on the GPU.
struct Piece {
    slices: Slices,
    media: Media,
    by: Blocker,
}

impl Piece {
    fn placed(&self) -> Option<PlacedProfile> {
        match &self.by {
            Blocker::Instance(Obstacle { start, profile, .. }) => Some(PlacedProfile {
                start: *start,
                profile: profile.clone(),
            }),
            Blocker::Wanted(placed) => Some(placed.clone()),
            Blocker::Compute { .. } | Blocker::MediaEngines(_) | Blocker::Number { .. } => None,
        }
    }
}

/// A GPU with what must stay and as much of what is wanted as there is room for.
struct Crowd<'a> {
    hardware: &'a Hardware<'a>,
    standing: Vec<Piece>,
    /// Compute slices that are left.
    compute: i32,
    engines: Engines,
}

impl<'a> Crowd<'a> {
    fn new(hardware: &'a Hardware<'a>, obstacles: &[Existing], layout: &[PlacedProfile]) -> Self {
        let mut crowd = Self {
            hardware,
            standing: Vec::new(),
            compute: hardware.compute,
            engines: Engines::default(),
        };
        for standing in standing(hardware, obstacles).unwrap_or_default() {
            crowd.compute -= standing.compute;
            crowd.engines.add(standing.media, 1);
            crowd.standing.push(Piece {
                slices: standing.slices,
                media: standing.media,
                by: Blocker::Instance(Obstacle::of(standing.existing)),
            });
        }
        let is_new = |it: &&PlacedProfile| !obstacles.iter().any(|there| there.start == it.start);
        for wanted in layout.iter().filter(is_new) {
            crowd.add(wanted);
        }
        crowd
    }

    fn add(&mut self, wanted: &PlacedProfile) {
        let profiles = self.hardware.find(&wanted.profile);
        let Some(profile) = profiles.map(|index| &self.hardware.profiles[index]) else {
            return;
        };
        let mut places = self.hardware.places(profile).iter();
        let Some(place) = places.find(|place| place.start == wanted.start) else {
            return;
        };
        self.compute -= profile.offer.slices;
        self.engines.add(profile.media, 1);
        self.standing.push(Piece {
            slices: place.slices,
            media: profile.media,
            by: Blocker::Wanted(wanted.clone()),
        });
    }

    fn places(&self, profile: usize) -> impl Iterator<Item = BlockedPlace> {
        let profile = &self.hardware.profiles[profile];
        let blocked = move |(start, by)| BlockedPlace {
            profile: profile.offer.name.clone(),
            start,
            by,
        };
        let places = self.hardware.places(profile).iter();
        let blockers = places.flat_map(|place| {
            let blockers = self.blockers(profile, place.slices);
            blockers.into_iter().map(|by| (place.start, by))
        });
        blockers.map(blocked)
    }

    /// What stands there; if nothing does, what else is missing.
    fn blockers(&self, profile: &Profile<'_>, slices: Slices) -> Vec<Blocker> {
        let there = self.standing.iter().filter(|it| it.slices & slices != 0);
        let there: Vec<_> = there.map(|piece| piece.by.clone()).collect();
        if !there.is_empty() {
            return there;
        }
        let needed = profile.offer.slices;
        if needed > self.compute {
            let left = self.compute;
            return vec![Blocker::Compute { needed, left }];
        }
        if self.engines.room(profile.media) == 0 {
            let rivals = self.standing.iter();
            let rivals = rivals.filter(|piece| profile.media.is_rival_of(piece.media));
            let rivals = rivals.filter_map(Piece::placed);
            return rivals.map(Blocker::MediaEngines).collect();
        }
        let max = profile.offer.max;
        vec![Blocker::Number { max }]
    }
}
