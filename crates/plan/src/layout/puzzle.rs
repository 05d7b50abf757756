//! A wanted layout on a GPU with instances, and its cheapest solution.

use std::collections::BTreeSet;

use crds::gpu_node::PlacedProfile;

use super::choices::Choices;
use super::hardware::Hardware;
use super::packing::{Ground, Packed, pack};
use super::standing::{Instances, Standing, pods, standing};
use super::{Existing, Infeasible, Layout};

/// A wanted layout on a GPU with instances.
pub(super) struct Puzzle<'a> {
    hardware: &'a Hardware<'a>,
    /// How many of each profile are wanted.
    demand: &'a [i32],
    standing: Vec<Standing<'a>>,
    /// How many pods hold exactly these instances.
    pods: Vec<(Instances, usize)>,
}

/// What a choice costs; the order of the fields is the order of what matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cost {
    evicted: usize,
    destroyed: u32,
    created: i32,
}

impl<'a> Puzzle<'a> {
    pub(super) fn new(
        hardware: &'a Hardware<'a>,
        demand: &'a [i32],
        existing: &'a [Existing],
    ) -> Result<Self, Infeasible> {
        let standing = standing(hardware, existing)?;
        Ok(Self {
            hardware,
            demand,
            pods: pods(&standing),
            standing,
        })
    }

    /// The best layout, if there is one.
    pub(super) fn solve(&self) -> Option<Layout> {
        let cost = |kept| self.cost(kept);
        let mut best: Option<(Cost, Packed, Instances)> = None;
        for (tried, (cost, kept)) in Choices::new(&self.standing, self.demand, cost).enumerate() {
            if best.as_ref().is_some_and(|(least, ..)| *least < cost) {
                break;
            }
            // Where nothing at all is kept everything else has its way: if that is in vain, all is.
            if tried == 1 && best.is_none() && !self.is_possible() {
                return None;
            }
            let Some(packed) = self.arrange(kept) else {
                continue;
            };
            let found = (cost, packed, kept);
            if best.as_ref().is_none_or(|best| found < *best) {
                best = Some(found);
            }
        }
        best.map(|(_, packed, kept)| self.layout(packed, kept))
    }

    /// Whether there is a placement at all. What cannot be destroyed may become part of it, or be built around.
    fn is_possible(&self) -> bool {
        let unmovable = !self.movable();
        let movable_gone = |kept: &Instances| kept & !unmovable == 0;
        let choices = Choices::new(&self.standing, self.demand, |kept| self.cost(kept));
        let mut choices = choices.map(|(_, kept)| kept).filter(movable_gone);
        choices.any(|kept| self.arrange(kept).is_some())
    }

    fn cost(&self, kept: Instances) -> Cost {
        let gone = self.movable() & !kept;
        let evicted = self.pods.iter().filter(|(on, _)| on & gone != 0);
        Cost {
            evicted: evicted.map(|(_, number)| number).sum(),
            destroyed: gone.count_ones(),
            created: self.demand.iter().sum::<i32>() - kept.count_ones().cast_signed(),
        }
    }

    /// The best places for what is wanted beyond the instances kept. Instances that are neither kept nor movable are in
    /// the way, with their compute slices and as instances of their profile too.
    fn arrange(&self, kept: Instances) -> Option<Packed> {
        let stays = kept | !self.movable();
        let mut ground = Ground::empty(self.hardware);
        let mut missing = self.demand.to_vec();
        let mut starts = Vec::new();
        for (index, standing) in self.chosen(stays) {
            ground.stand(standing);
            if let Some(profile) = standing.profile.filter(|_| kept & 1 << index != 0) {
                missing[profile] -= 1;
                starts.push((profile, standing.existing.start));
            }
        }
        pack(ground, &missing, &starts)
    }

    fn layout(&self, packed: Packed, kept: Instances) -> Layout {
        let placed = |&(profile, start): &(usize, i32)| PlacedProfile {
            start,
            profile: self.hardware.profiles[profile].offer.name.clone(),
        };
        let mut instances: Vec<_> = packed.starts.iter().map(placed).collect();
        instances.sort_unstable();
        let kept_places = self.places(kept);
        let is_new = |it: &&PlacedProfile| !kept_places.contains(it);
        let gone = self.movable() & !kept;
        let evicted: BTreeSet<_> = self
            .chosen(gone)
            .flat_map(|(_, standing)| standing.pods())
            .cloned()
            .collect();
        Layout {
            created: instances.iter().filter(is_new).cloned().collect(),
            destroyed: self.places(gone),
            kept: kept_places,
            evicted,
            spare: packed.spare.0,
            instances,
        }
    }

    /// The instances of a choice, by start.
    fn places(&self, among: Instances) -> Vec<PlacedProfile> {
        let place = |(_, standing): (usize, &Standing<'_>)| PlacedProfile {
            start: standing.existing.start,
            profile: standing.existing.profile.clone(),
        };
        let mut places: Vec<_> = self.chosen(among).map(place).collect();
        places.sort_unstable();
        places
    }

    fn movable(&self) -> Instances {
        let every = self.standing.iter().enumerate();
        every.fold(0, |all, (index, standing)| {
            all | Instances::from(standing.movable) << index
        })
    }

    fn chosen(&self, among: Instances) -> impl Iterator<Item = (usize, &Standing<'a>)> {
        let every = self.standing.iter().enumerate();
        every.filter(move |(index, _)| among & 1 << index != 0)
    }
}
