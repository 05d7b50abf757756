//! Which instances stay: every choice, cheapest first.

use std::collections::{BTreeMap, BTreeSet};

use crds::gpu_node::PlacedProfile;

use super::hardware::{Hardware, Slices, slices};
use super::packing::{Ground, Packed, pack};
use super::{Existing, Infeasible, Layout, Occupancy};
use crate::profile::ProfileName;

/// Existing instances, one bit each. They share no memory slice, so there are no more of them than slices.
type Instances = Slices;

/// A wanted layout on a GPU with instances.
pub(super) struct Puzzle<'a> {
    hardware: &'a Hardware<'a>,
    /// How many of each profile are wanted.
    demand: &'a [i32],
    standing: Vec<Standing<'a>>,
    /// How many pods hold exactly these instances.
    pods: BTreeMap<Instances, usize>,
}

struct Standing<'a> {
    existing: &'a Existing,
    /// Its profile in the hardware's list. None: not on offer.
    profile: Option<usize>,
    slices: Slices,
    compute: i32,
    movable: bool,
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
        let mut taken = 0;
        let mut standing = Vec::with_capacity(existing.len());
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

impl<'a> Standing<'a> {
    fn new(hardware: &Hardware<'_>, existing: &'a Existing, slices: Slices) -> Self {
        let profile = hardware.find(&existing.profile);
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
            movable: !matches!(existing.occupancy, Occupancy::Unmovable(_)),
        }
    }

    fn pods(&self) -> impl Iterator<Item = &'a String> + use<'a> {
        match &self.existing.occupancy {
            Occupancy::Pods(pods) => Some(pods),
            Occupancy::Free | Occupancy::Unmovable(_) => None,
        }
        .into_iter()
        .flatten()
    }
}

fn pods(standing: &[Standing<'_>]) -> BTreeMap<Instances, usize> {
    let mut held: BTreeMap<&str, Instances> = BTreeMap::new();
    for (index, standing) in standing.iter().enumerate() {
        for pod in standing.pods() {
            *held.entry(pod).or_default() |= 1 << index;
        }
    }
    let mut numbers = BTreeMap::new();
    for instances in held.into_values() {
        *numbers.entry(instances).or_default() += 1;
    }
    numbers
}
