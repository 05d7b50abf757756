//! A GPU with instances, and the cheapest layouts for it.

use std::collections::{BTreeMap, BTreeSet};

use crds::gpu_node::PlacedProfile;

use super::cost::Cost;
use super::ground::Ground;
use super::hardware::Hardware;
use super::packing::{Packed, Packing};
use super::standing::{Instances, Standing, held, pods, standing};
use super::{Existing, Infeasible, Layout, Placement};

/// A GPU with instances, on which a layout may be wanted.
pub(crate) struct Puzzle<'a> {
    pub(super) hardware: &'a Hardware<'a>,
    pub(super) standing: Vec<Standing<'a>>,
    /// How many pods hold exactly these instances.
    pods: Vec<(Instances, usize)>,
    /// How many pods that are to be spared hold exactly these instances.
    spared: Vec<(Instances, usize)>,
    /// Of each pod that other GPUs may drive away too, its bit and the instances that it holds here.
    elsewhere: Vec<(u128, Instances)>,
    /// The instances that may be destroyed.
    pub(super) movable: Instances,
}

/// A placement, and what it costs. The least is the best, elsewhere pods aside.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Solution<'p> {
    cost: Cost,
    pub(super) packed: &'p Packed,
    /// The elsewhere pods that leave, one bit each.
    leaving: u128,
}

impl Solution<'_> {
    /// Whether it drives away none but these.
    const fn is_within(&self, leaving: u128) -> bool {
        self.leaving & !leaving == 0
    }
}

impl<'a> Puzzle<'a> {
    /// The instances must be possible together.
    pub(crate) fn new(
        hardware: &'a Hardware<'a>,
        existing: &'a [Existing],
    ) -> Result<Self, Infeasible> {
        let standing = standing(hardware, existing)?;
        let each = standing.iter().enumerate();
        let movable = each.filter(|(_, it)| it.movable);
        Ok(Self {
            hardware,
            pods: pods(&held(&standing), |_| true),
            spared: Vec::new(),
            elsewhere: Vec::new(),
            movable: movable.fold(0, |all, (index, _)| all | 1 << index),
            standing,
        })
    }

    /// Before anything else the fewest of the pods to be spared are to be evicted. Whether numbered pods, below 128, leave is
    /// not counted here, because they are elsewhere too.
    pub(crate) fn counting(
        mut self,
        spared: &BTreeSet<String>,
        numbered: &BTreeMap<String, u32>,
    ) -> Self {
        if numbered.is_empty() && spared.is_empty() {
            return self;
        }
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

    /// Whether nothing but their pods distinguishes the two, so that they have the same [packings](Self::packings).
    pub(crate) fn is_shaped_like(&self, other: &Self) -> bool {
        let shapes = self.standing.iter().zip(&other.standing);
        self.hardware.offers_the_same(other.hardware)
            && self.standing.len() == other.standing.len()
            && shapes.into_iter().all(|(one, two)| one.is_shaped_like(two))
    }

    /// Every placement of so many of each profile that could be the best for some pods. Empty: there is none.
    pub(crate) fn packings(&self, demand: &[i32]) -> Vec<Packed> {
        Packing::new(self, demand).solve()
    }

    /// [`search_sparing`](super::search_sparing) for one GPU of several, among the packings. That a numbered pod leaves is not
    /// counted: it costs the same on however many GPUs it happens. So there may be several placements of which each is the best
    /// once certain of these pods leave anyway. The first is the best apart from them.
    pub(crate) fn placements<'p>(&self, packings: &'p [Packed]) -> Vec<Placement<'p>> {
        let mut best: Vec<Solution<'p>> = Vec::with_capacity(packings.len());
        for packed in packings {
            let solution = self.solution(packed);
            let beats = |one: &Solution<'_>, other: &Solution<'_>| {
                one.is_within(other.leaving) && one < other
            };
            if !best.iter().any(|it| beats(it, &solution)) {
                best.retain(|it| !beats(&solution, it));
                best.push(solution);
            }
        }
        best.sort_unstable();
        best.iter().map(Placement::new).collect()
    }

    /// The best of the packings.
    pub(super) fn best<'p>(&self, packings: &'p [Packed]) -> Option<Solution<'p>> {
        packings.iter().map(|it| self.solution(it)).min()
    }

    /// What a packing costs.
    fn solution<'p>(&self, packed: &'p Packed) -> Solution<'p> {
        let gone = self.movable & !packed.kept;
        let (spared, evicted) = (leaving(&self.spared, gone), leaving(&self.pods, gone));
        Solution {
            cost: Cost::new(spared, evicted, gone.count_ones(), packed.created),
            packed,
            leaving: self.leaving(gone),
        }
    }

    /// The elsewhere pods that leave if these instances go.
    fn leaving(&self, gone: Instances) -> u128 {
        let leaving = self.elsewhere.iter().filter(|(_, on)| on & gone != 0);
        leaving.fold(0, |all, (bit, _)| all | bit)
    }

    /// A packing in the driver's terms, with all that becomes of the GPU.
    pub(super) fn layout(&self, packed: &Packed) -> Layout {
        let gone = self.movable & !packed.kept;
        let (kept, destroyed) = (self.places(packed.kept), self.places(gone));
        let evicted = self.chosen(gone).flat_map(|(_, standing)| standing.pods());
        let instances = self.hardware.instances(&packed.starts);
        let is_new = |it: &&PlacedProfile| !kept.contains(it);
        Layout {
            created: instances.iter().filter(is_new).cloned().collect(),
            evicted: evicted.cloned().collect(),
            destroyed,
            kept,
            spare: packed.spare.0.to_vec(),
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

    /// The GPU with these instances on it, which are in the way with their slices, and as instances of their profile too.
    pub(super) fn ground(&self, stays: Instances) -> Ground<'a> {
        let mut ground = Ground::empty(self.hardware);
        for (_, standing) in self.chosen(stays) {
            ground.stand(standing);
        }
        ground
    }

    pub(super) fn chosen(&self, among: Instances) -> impl Iterator<Item = (usize, &Standing<'a>)> {
        let every = self.standing.iter().enumerate();
        every.filter(move |(index, _)| among & 1 << index != 0)
    }
}

impl<'p> Placement<'p> {
    const fn new(solution: &Solution<'p>) -> Self {
        let cost = solution.cost;
        Self {
            packed: solution.packed,
            gone: solution.leaving,
            spared: cost.spared(),
            evicted: cost.evicted(),
            destroyed: cost.destroyed(),
            created: cost.created(),
        }
    }
}

/// How many pods hold one of these instances.
fn leaving(pods: &[(Instances, usize)], gone: Instances) -> usize {
    let leaving = pods.iter().filter(|(on, _)| on & gone != 0);
    leaving.map(|(_, number)| number).sum()
}
