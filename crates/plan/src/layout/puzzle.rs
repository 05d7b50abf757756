//! Which instances stay: every choice, cheapest first.

use std::collections::{BTreeMap, BTreeSet};

use crds::gpu_node::PlacedProfile;

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
    pods: BTreeMap<Instances, usize>,
}

/// What a choice costs; the order of the fields is the order of what matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Cost {
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
        let mut choices: Vec<_> = self
            .choices()
            .into_iter()
            .map(|kept| (self.cost(kept), kept))
            .collect();
        choices.sort_unstable();
        choices.chunk_by(|a, b| a.0 == b.0).find_map(|alike| {
            alike
                .iter()
                .filter_map(|&(cost, kept)| Some((self.arrange(kept)?, cost, kept)))
                .min()
                .map(|(packed, cost, kept)| self.layout(&packed, cost, kept))
        })
    }

    /// Every set of instances that could all be part of the wanted layout.
    fn choices(&self) -> Vec<Instances> {
        let mut choices = vec![0];
        for (index, standing) in self.standing.iter().enumerate() {
            let Some(profile) = standing.profile.filter(|_| standing.existing.whole) else {
                continue;
            };
            let more: Vec<_> = choices
                .iter()
                .filter(|&&kept| self.number(profile, kept) < self.demand[profile])
                .map(|kept| kept | 1 << index)
                .collect();
            choices.extend(more);
        }
        choices
    }

    fn cost(&self, kept: Instances) -> Cost {
        let gone = self.movable() & !kept;
        let evicted = self.pods.iter().filter(|&(on, _)| on & gone != 0);
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
            ground.stand(standing.profile, standing.slices, standing.compute);
            if let Some(profile) = standing.profile.filter(|_| kept & 1 << index != 0) {
                missing[profile] -= 1;
                starts.push((profile, standing.existing.start));
            }
        }
        pack(ground, &missing, &starts)
    }

    fn layout(&self, packed: &Packed, cost: Cost, kept: Instances) -> Layout {
        let mut instances: Vec<_> = packed
            .starts
            .iter()
            .map(|&(profile, start)| PlacedProfile {
                start,
                profile: self.hardware.profiles[profile].offer.name.clone(),
            })
            .collect();
        instances.sort_unstable();
        let kept_number = kept.count_ones() as usize;
        Layout {
            kept: kept_number,
            destroyed: cost.destroyed as usize,
            created: instances.len() - kept_number,
            evicted: self.evicted(kept),
            instances,
        }
    }

    fn evicted(&self, kept: Instances) -> BTreeSet<String> {
        self.chosen(self.movable() & !kept)
            .flat_map(|(_, standing)| standing.pods())
            .cloned()
            .collect()
    }

    fn number(&self, profile: usize, among: Instances) -> i32 {
        let alike = |&(_, standing): &(usize, &Standing<'_>)| standing.profile == Some(profile);
        self.chosen(among).filter(alike).map(|_| 1).sum()
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
