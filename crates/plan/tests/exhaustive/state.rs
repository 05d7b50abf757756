//! States of a GPU, and what is best there.

use std::collections::{BTreeMap, BTreeSet};

use plan::layout::{Existing, Infeasible, Layout, Occupancy, search};

use crate::hardware::{Hardware, Set};

/// What is on the GPU.
#[derive(Clone, Copy, Debug, Default)]
pub struct State {
    /// Must stay.
    pub fixed: Set,
    /// May go.
    pub movable: Set,
    /// Those of them that a pod is on, each another one.
    pub held: Set,
    /// Those, of either kind, without a whole compute instance.
    pub half: Set,
}

/// What becomes of everything.
#[derive(Debug, PartialEq, Eq)]
struct Fate {
    layout: Set,
    kept: Set,
    destroyed: Set,
    created: Set,
    evicted: BTreeSet<String>,
    spare: Vec<i32>,
}

/// The layouts of some numbers that can stand beside what must, those that leave most room first, then those that stand
/// lowest.
pub type Candidates = Vec<Set>;

impl State {
    pub fn existing(&self, hardware: &Hardware) -> Vec<Existing> {
        let each = hardware.spots.iter().enumerate();
        let there = each.filter(|(bit, _)| (self.fixed | self.movable) & 1 << bit != 0);
        let instance = |(bit, spot): (usize, &crate::hardware::Spot)| Existing {
            profile: spot.profile.name.to_owned(),
            start: spot.start.cast_signed(),
            size: spot.profile.memory_slices.cast_signed(),
            whole: self.half & 1 << bit == 0,
            occupancy: if self.fixed & 1 << bit != 0 {
                Occupancy::Unmovable("for a test".to_owned())
            } else if self.held & 1 << bit != 0 {
                Occupancy::Pods([pod(bit)].into())
            } else {
                Occupancy::Free
            },
        };
        there.map(instance).collect()
    }

    /// The candidates of all numbers.
    pub fn candidates<'a>(&self, hardware: &'a Hardware) -> Vec<(&'a [i32], Candidates)> {
        let of = |(numbers, layouts): (&'a Vec<i32>, &Vec<Set>)| {
            let fits = |&&layout: &&Set| {
                layout & self.fixed & self.half == 0
                    && hardware.legal.contains_key(&(layout | self.fixed))
            };
            let mut fitting: Vec<_> = layouts.iter().filter(fits).copied().collect();
            fitting.sort_by_key(|layout| {
                let spare = &hardware.legal[&(layout | self.fixed)];
                (
                    std::cmp::Reverse(spare),
                    std::cmp::Reverse(layout.reverse_bits()),
                )
            });
            (numbers.as_slice(), fitting)
        };
        hardware.layouts.iter().map(of).collect()
    }

    /// The best of the candidates.
    fn best(&self, hardware: &Hardware, candidates: &Candidates) -> Option<Fate> {
        let cost = |layout: &Set| {
            let gone = self.movable & !self.kept(*layout);
            let created = layout & !self.kept(*layout);
            let count = Set::count_ones;
            (count(gone & self.held), count(gone), count(created))
        };
        // The first of the least.
        let layout = candidates.iter().copied().min_by_key(cost)?;
        let kept = self.kept(layout);
        let destroyed = self.movable & !kept;
        let pods = (0..Set::BITS as usize).filter(|bit| destroyed & self.held & 1 << bit != 0);
        Some(Fate {
            layout,
            kept,
            destroyed,
            created: layout & !kept,
            evicted: pods.map(pod).collect(),
            spare: hardware.legal[&(layout | self.fixed)].clone(),
        })
    }

    const fn kept(&self, layout: Set) -> Set {
        layout & (self.movable | self.fixed) & !self.half
    }

    /// Holds the search to the best of the candidates.
    pub fn check(
        &self,
        hardware: &Hardware,
        existing: &[Existing],
        wanted: &BTreeMap<String, i32>,
        candidates: &Candidates,
    ) {
        let best = self.best(hardware, candidates);
        let found = match search(&hardware.offers, existing, wanted) {
            Ok(layout) => {
                let fate = read(hardware, &layout);
                assert!(
                    fate.is_some(),
                    "{layout:?} is not by start, or not all there"
                );
                Ok(fate)
            }
            Err(Infeasible::Blocked { .. }) => Ok(None),
            Err(other) => Err(other),
        };
        assert_eq!(found, Ok(best), "{wanted:?} in {self:?}: {existing:#?}");
    }
}

fn read(hardware: &Hardware, layout: &Layout) -> Option<Fate> {
    Some(Fate {
        layout: hardware.read(&layout.instances)?,
        kept: hardware.read(&layout.kept)?,
        destroyed: hardware.read(&layout.destroyed)?,
        created: hardware.read(&layout.created)?,
        evicted: layout.evicted.clone(),
        spare: layout.spare.clone(),
    })
}

fn pod(bit: usize) -> String {
    format!("default/pod-{bit}")
}

/// Every part of a set, itself and nothing among them.
pub fn parts(of: Set) -> impl Iterator<Item = Set> {
    let next = move |part: &Set| (*part != 0).then(|| (part - 1) & of);
    std::iter::successors(Some(of), next)
}
