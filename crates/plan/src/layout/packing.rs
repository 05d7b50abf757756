//! Every way to place what is wanted that keeps as many as it can of the instances that are there.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use smallvec::SmallVec;

use super::ground::Rest;
use super::hardware::{Place, Slices};
use super::puzzle::Puzzle;
use super::standing::Instances;
use super::{Numbers, Starts};

/// A complete placement. Of those that cost the same the least is the best.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Packed {
    /// How many more instances of each profile would fit, each profile for itself, the largest first.
    pub(crate) spare: Reverse<Numbers>,
    /// The instances.
    pub(crate) starts: Starts,
    /// Those of them that are there already.
    pub(super) kept: Instances,
    /// How many are made.
    pub(super) created: u32,
}

/// A depth-first search, the largest profile and the lowest start first. An instance that stands where one of its profile is
/// placed is kept, the others in its way go: so what can still be kept only becomes less, and a way is given up once all of
/// that and more is kept otherwise.
pub(super) struct Packing<'p, 'a> {
    puzzle: &'p Puzzle<'a>,
    demand: &'p [i32],
    /// What is wanted, profile by profile.
    wanted: SmallVec<[Wanted; 3]>,
    /// Whether there is enough for all that is wanted beside what stays in any case and is no part of it.
    is_enough: bool,
    /// What is left then, wherever what is wanted stands.
    rest: Rest<'a>,
    chosen: Starts,
    seen: BTreeSet<(usize, Slices, Instances)>,
    found: Vec<Packed>,
}

/// So many instances of a profile, and where they may stand.
struct Wanted {
    profile: usize,
    number: usize,
    spots: SmallVec<[Spot; 8]>,
}

/// A place that is not blocked for good.
#[derive(Clone, Copy)]
struct Spot {
    place: Place,
    /// The instance that can be kept there.
    there: Instances,
    /// The others that are in the way.
    hit: Instances,
}

/// What the instances that are placed so far make of the GPU.
#[derive(Clone, Copy, Default)]
struct Reached {
    taken: Slices,
    kept: Instances,
    /// Those that are kept, or may still be.
    keepable: Instances,
    created: u32,
}

impl<'p, 'a> Packing<'p, 'a> {
    pub(super) fn new(puzzle: &'p Puzzle<'a>, demand: &'p [i32]) -> Self {
        let some = demand.iter().enumerate();
        let wanted = some.filter_map(|(profile, &number)| {
            let number = usize::try_from(number).ok().filter(|it| *it > 0)?;
            let places = puzzle.hardware.places(&puzzle.hardware.profiles[profile]);
            let spots = places
                .iter()
                .filter_map(|it| Spot::new(puzzle, profile, *it));
            Some(Wanted {
                profile,
                number,
                spots: spots.collect(),
            })
        });
        let mut ground = puzzle.ground(!puzzle.movable);
        Self {
            puzzle,
            demand,
            wanted: wanted.collect(),
            is_enough: ground.reserve(demand),
            rest: ground.rest(),
            chosen: SmallVec::new(),
            seen: BTreeSet::new(),
            found: Vec::new(),
        }
    }

    /// Of all placements that keep the same the best, unless others keep the same and more.
    pub(super) fn solve(mut self) -> Vec<Packed> {
        let keepable = self.wanted.iter().flat_map(|it| &it.spots);
        let start = Reached {
            keepable: keepable.fold(0, |all, spot| all | spot.there),
            ..Reached::default()
        };
        self.next_profile(0, start);
        self.found
    }

    /// Places the instances of the next profile. Whoever comes first to the same slices with the same instances kept has the
    /// lower starts, and all that follows is the same: each is followed once, which bounds the search.
    fn next_profile(&mut self, at: usize, reached: Reached) {
        let Some(next) = self.wanted.get(at) else {
            self.weigh(reached);
            return;
        };
        let number = next.number;
        let is_room = |it: &Wanted| it.free(reached.taken) >= it.number;
        // The first profile takes other slices every time.
        let is_new = at < 2 || self.seen.insert((at, reached.taken, reached.kept));
        if is_new && self.wanted[at..].iter().all(is_room) {
            self.place((at, 0), number, reached);
        }
    }

    /// Places so many more instances of a profile, at its spots from one on.
    fn place(&mut self, (at, from): (usize, usize), left: usize, reached: Reached) {
        let Some(others) = left.checked_sub(1) else {
            self.next_profile(at + 1, reached);
            return;
        };
        let profile = self.wanted[at].profile;
        let last = self.wanted[at].spots.len().saturating_sub(others);
        for index in from..last {
            let spot = self.wanted[at].spots[index];
            if spot.place.slices & reached.taken != 0 {
                continue;
            }
            let reached = reached.with(spot);
            if self.is_beaten(reached.keepable) {
                continue;
            }
            self.chosen.push((profile, spot.place.start));
            self.place((at, index + 1), others, reached);
            self.chosen.pop();
        }
    }

    /// Whether all these and more are kept otherwise, which disturbs less whoever is on them.
    fn is_beaten(&self, kept: Instances) -> bool {
        let mut found = self.found.iter();
        found.any(|it| kept & !it.kept == 0 && kept != it.kept)
    }

    /// A complete placement.
    fn weigh(&mut self, reached: Reached) {
        let kept = reached.kept;
        if self.is_beaten(kept) {
            return;
        }
        let Some(spare) = self.spare(reached) else {
            return;
        };
        let packed = Packed {
            spare: Reverse(spare),
            starts: self.chosen.clone(),
            kept,
            created: reached.created,
        };
        if let Some(same) = self.found.iter_mut().find(|it| it.kept == kept) {
            if packed < *same {
                *same = packed;
            }
            return;
        }
        self.found.retain(|it| it.kept & !kept != 0);
        self.found.push(packed);
    }

    /// How many more of each profile would fit. None: there is not enough of something for what is wanted.
    fn spare(&self, reached: Reached) -> Option<Numbers> {
        let Reached { taken, kept, .. } = reached;
        if self.is_enough && kept & !self.puzzle.movable == 0 {
            return Some(self.rest.spare(taken));
        }
        // What stands already may be too much for itself, and then hinders nobody who needs none of it.
        let mut ground = self.puzzle.ground(kept | !self.puzzle.movable);
        let mut missing = Numbers::from_slice(self.demand);
        for (_, standing) in self.puzzle.chosen(kept) {
            if let Some(profile) = standing.profile {
                missing[profile] -= 1;
            }
        }
        let is_enough = ground.reserve(&missing);
        is_enough.then(|| ground.rest().spare(taken))
    }
}

impl Wanted {
    /// How many spots are free if these slices are taken.
    fn free(&self, taken: Slices) -> usize {
        let spots = self.spots.iter();
        spots.filter(|it| it.place.slices & taken == 0).count()
    }
}

impl Spot {
    /// None: an instance that must stay is in the way.
    fn new(puzzle: &Puzzle<'_>, profile: usize, place: Place) -> Option<Self> {
        let (mut there, mut hit) = (0, 0);
        for (index, standing) in puzzle.standing.iter().enumerate() {
            if standing.slices & place.slices == 0 {
                continue;
            }
            let is_it = standing.profile == Some(profile) && standing.slices == place.slices;
            if is_it && standing.keepable {
                there |= 1 << index;
            } else if standing.movable {
                hit |= 1 << index;
            } else {
                return None;
            }
        }
        Some(Self { place, there, hit })
    }
}

impl Reached {
    const fn with(self, spot: Spot) -> Self {
        Self {
            taken: self.taken | spot.place.slices,
            kept: self.kept | spot.there,
            keepable: self.keepable & !spot.hit,
            created: self.created + (spot.there == 0) as u32,
        }
    }
}
