//! A wanted layout on a GPU with instances, and its cheapest solution.

use std::collections::{BTreeMap, BTreeSet};

use crds::gpu_node::PlacedProfile;

use super::choices::Choices;
use super::hardware::Hardware;
use super::packing::{Packed, Packing};
use super::standing::{Instances, Standing, held, pods, standing};
use super::{Existing, Infeasible, Layout, Placement};

/// A wanted layout on a GPU with instances.
pub(super) struct Puzzle<'a> {
    hardware: &'a Hardware<'a>,
    /// How many of each profile are wanted.
    demand: &'a [i32],
    standing: Vec<Standing<'a>>,
    /// How many pods hold exactly these instances.
    pods: Vec<(Instances, usize)>,
    /// How many pods that are to be spared hold exactly these instances.
    spared: Vec<(Instances, usize)>,
    /// Of each pod that other GPUs may drive away too, its bit and the instances that it holds here.
    elsewhere: Vec<(u128, Instances)>,
    /// The instances that may be destroyed.
    movable: Instances,
    /// Of each profile the instances that may be kept.
    alike: Vec<Instances>,
    /// How many instances are wanted.
    wanted: i32,
}

/// After so many choices in vain it is worth asking whether any is not.
const SOME: usize = 8;

/// What a choice costs; the order of the fields is the order of what matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cost {
    spared: usize,
    evicted: usize,
    destroyed: u32,
    created: i32,
}

/// A choice of what is kept, with the best places for the rest. The least is the best, elsewhere pods aside.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Solution {
    cost: Cost,
    packed: Packed,
    kept: Instances,
    /// The elsewhere pods that leave, one bit each.
    leaving: u128,
}

impl Solution {
    /// Whether it drives away none but these.
    const fn is_within(&self, leaving: u128) -> bool {
        self.leaving & !leaving == 0
    }
}

impl<'a> Puzzle<'a> {
    pub(super) fn new(
        hardware: &'a Hardware<'a>,
        demand: &'a [i32],
        existing: &'a [Existing],
    ) -> Result<Self, Infeasible> {
        let standing = standing(hardware, existing)?;
        let mut movable = 0;
        let mut alike = vec![0; demand.len()];
        for (index, standing) in standing.iter().enumerate() {
            movable |= Instances::from(standing.movable) << index;
            if let Some(profile) = standing.profile.filter(|_| standing.keepable) {
                alike[profile] |= 1 << index;
            }
        }
        Ok(Self {
            hardware,
            demand,
            pods: pods(&held(&standing), |_| true),
            spared: Vec::new(),
            elsewhere: Vec::new(),
            standing,
            movable,
            alike,
            wanted: demand.iter().sum(),
        })
    }

    /// Before anything else the fewest of the pods to be spared are to be evicted. Whether numbered pods leave is not counted
    /// here: it costs the same on however many GPUs it happens.
    pub(super) fn counting(
        mut self,
        spared: &BTreeSet<String>,
        numbered: &BTreeMap<String, u32>,
    ) -> Self {
        let mut held = held(&self.standing);
        if !numbered.is_empty() {
            let bit = |(pod, on): (&&str, &Instances)| Some((1 << numbered.get(*pod)?, *on));
            self.elsewhere = held.iter().filter_map(bit).collect();
            held.retain(|pod, _| !numbered.contains_key(*pod));
            self.pods = pods(&held, |_| true);
        }
        if !spared.is_empty() {
            self.spared = pods(&held, |pod| spared.contains(pod));
        }
        self
    }

    /// The best layout, and every other that could be better once some of the elsewhere pods leave because of other GPUs; the
    /// cheapest first. None: there is no placement.
    pub(super) fn solve(&self) -> Vec<Solution> {
        let mut packing = Packing::new(self.hardware);
        let mut found: Vec<Solution> = Vec::new();
        let mut tried = 0;
        let mut choices = Choices::new(&self.alike, self.demand, |kept| self.cost(kept));
        while let Some((cost, kept)) = choices.next() {
            // Nothing that follows is cheaper, and this one drives nobody away.
            if found.iter().any(|it| it.leaving == 0 && it.cost < cost) {
                break;
            }
            // Where nothing at all is kept everything else has its way: if that is in vain, all is.
            if tried == SOME && found.is_empty() && !self.is_possible(&mut packing) {
                break;
            }
            tried += 1;
            let leaving = self.leaving(kept);
            // To keep less than this would be worse still.
            if found
                .iter()
                .any(|it| it.is_within(leaving) && it.cost < cost)
            {
                continue;
            }
            let Some(packed) = self.arrange(kept, &mut packing) else {
                choices.with_less_than(kept);
                continue;
            };
            let solution = Solution {
                cost,
                packed,
                kept,
                leaving,
            };
            if !found
                .iter()
                .any(|it| it.is_within(leaving) && *it <= solution)
            {
                found.retain(|it| !(solution.is_within(it.leaving) && solution <= *it));
                found.push(solution);
            }
        }
        found.sort_unstable();
        found
    }

    /// The elsewhere pods that leave if no more than this is kept.
    fn leaving(&self, kept: Instances) -> u128 {
        let gone = self.movable & !kept;
        let leaving = self.elsewhere.iter().filter(|(_, on)| on & gone != 0);
        leaving.fold(0, |all, (bit, _)| all | bit)
    }

    /// Whether there is a placement at all. What cannot be destroyed may become part of it, or be built around.
    fn is_possible(&self, packing: &mut Packing<'_>) -> bool {
        let unmovable = |alike: &Instances| alike & !self.movable;
        let unmovable: Vec<_> = self.alike.iter().map(unmovable).collect();
        let cost = |kept| self.cost(kept);
        let mut choices = Choices::new(&unmovable, self.demand, cost);
        while let Some((_, kept)) = choices.next() {
            if self.arrange(kept, packing).is_some() {
                return true;
            }
            choices.with_less_than(kept);
        }
        false
    }

    fn cost(&self, kept: Instances) -> Cost {
        let gone = self.movable & !kept;
        Cost {
            spared: leaving(&self.spared, gone),
            evicted: leaving(&self.pods, gone),
            destroyed: gone.count_ones(),
            created: self.wanted - kept.count_ones().cast_signed(),
        }
    }

    /// The best places for what is wanted beyond the instances kept. Instances that are neither kept nor movable are in
    /// the way, with their compute slices and as instances of their profile too.
    fn arrange(&self, kept: Instances, packing: &mut Packing<'_>) -> Option<Packed> {
        let stays = kept | !self.movable;
        if self.is_crowded(kept, stays) {
            return None;
        }
        packing.begin(self.demand);
        for (index, standing) in self.chosen(stays) {
            packing.stand(standing, kept & 1 << index != 0);
        }
        packing.pack()
    }

    /// Whether some profile has fewer places left than are missing of it. Most choices fail here, before anything is
    /// allocated for them.
    fn is_crowded(&self, kept: Instances, stays: Instances) -> bool {
        let taken = self.chosen(stays).fold(0, |all, (_, it)| all | it.slices);
        let wanted = self.demand.iter().enumerate();
        let mut wanted = wanted.filter(|(_, number)| **number > 0);
        wanted.any(|(profile, &number)| {
            let places = self
                .hardware
                .places(&self.hardware.profiles[profile])
                .iter();
            let free = places.filter(|place| place.slices & taken == 0).count();
            let there = (kept & self.alike[profile]).count_ones();
            usize::try_from(number).is_ok_and(|number| free + (there as usize) < number)
        })
    }

    /// A solution in the driver's terms, for one GPU of several.
    pub(super) fn placement(&self, solution: Solution) -> Placement {
        Placement {
            instances: self.instances(&solution),
            gone: solution.leaving,
            spared: solution.cost.spared,
            evicted: solution.cost.evicted,
            destroyed: solution.cost.destroyed as usize,
            created: usize::try_from(solution.cost.created).unwrap_or_default(),
            spare: solution.packed.spare.0,
        }
    }

    /// A solution in the driver's terms, with all that becomes of the GPU.
    pub(super) fn layout(&self, solution: Solution) -> Layout {
        let gone = self.movable & !solution.kept;
        let (kept, destroyed) = (self.places(solution.kept), self.places(gone));
        let evicted = self.chosen(gone).flat_map(|(_, standing)| standing.pods());
        let instances = self.instances(&solution);
        let is_new = |it: &&PlacedProfile| !kept.contains(it);
        Layout {
            created: instances.iter().filter(is_new).cloned().collect(),
            evicted: evicted.cloned().collect(),
            destroyed,
            kept,
            spare: solution.packed.spare.0,
            instances,
        }
    }

    /// All instances of a solution, by start.
    fn instances(&self, solution: &Solution) -> Vec<PlacedProfile> {
        let placed = |&(profile, start): &(usize, i32)| PlacedProfile {
            start,
            profile: self.hardware.profiles[profile].offer.name.clone(),
        };
        let mut instances: Vec<_> = solution.packed.starts.iter().map(placed).collect();
        instances.sort_unstable();
        instances
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

    fn chosen(&self, among: Instances) -> impl Iterator<Item = (usize, &Standing<'a>)> {
        let every = self.standing.iter().enumerate();
        every.filter(move |(index, _)| among & 1 << index != 0)
    }
}

/// How many pods hold one of these instances.
fn leaving(pods: &[(Instances, usize)], gone: Instances) -> usize {
    let leaving = pods.iter().filter(|(on, _)| on & gone != 0);
    leaving.map(|(_, number)| number).sum()
}
