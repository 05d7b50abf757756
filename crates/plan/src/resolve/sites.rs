//! The GPUs of a node as they are before they are planned.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use crds::gpu_node::GpuStatus;

use super::candidates::{Candidate, Pods, leaving};
use super::parts::Part;
use super::slices::{wanted, whole};
use crate::layout::{Existing, Hardware, Occupancy, Packed, Puzzle};

/// A GPU that is to be planned.
pub(super) struct Site<'a> {
    gpu: &'a GpuStatus,
    existing: &'a [Existing],
    /// None: it cannot be cut.
    hardware: Option<&'a Hardware<'a>>,
    /// With all instances and pods as they are.
    puzzle: Option<Puzzle<'a>>,
    pods: &'a Pods<'a>,
}

impl<'a> Site<'a> {
    /// The GPU with these instances.
    pub(super) fn new(
        gpu: &'a GpuStatus,
        existing: &'a [Existing],
        hardware: Option<&'a Hardware<'a>>,
        pods: &'a Pods<'a>,
    ) -> Self {
        Self {
            gpu,
            existing,
            hardware,
            puzzle: hardware.and_then(|it| pods.puzzle(it, existing)),
            pods,
        }
    }

    /// What the part may make of it: one candidate, and more where it depends on other GPUs which is the best. None if there is
    /// a [`problem`](super::candidates::problem). `packings`: those of the part.
    pub(super) fn candidates<'p>(
        &self,
        (number, part): (usize, &Part<'_>),
        adopt: bool,
        packings: impl FnOnce() -> &'p [Packed],
    ) -> Vec<Candidate<'p>> {
        let leaving = leaving(self.gpu, part);
        let gone = self.pods.count(&leaving);
        if part.strategy.mig.is_none() {
            let whole = whole(self.gpu, part, adopt);
            let whole = whole.map(|()| Candidate::whole(number, self.gpu, gone));
            return whole.into_iter().collect();
        }
        let cut = |puzzle: &Puzzle<'_>| {
            let placements = puzzle.placements(packings()).into_iter();
            let cut = placements.map(|it| Candidate::cut(number, &it, gone));
            cut.collect()
        };
        let found = if leaving.is_empty() {
            self.puzzle.as_ref().map(cut)
        } else {
            let existing = without(self.existing, &leaving);
            let puzzle = self.hardware.and_then(|it| self.pods.puzzle(it, &existing));
            puzzle.as_ref().map(cut)
        };
        found.unwrap_or_default()
    }

    /// How the part may cut it, whatever pods there are.
    fn packings(&self, part: &Part<'_>) -> Option<Vec<Packed>> {
        let mig = part.strategy.mig.as_ref()?;
        let (wanted, _) = wanted(self.gpu, mig, &part.strategy_path()).ok()?;
        let demand = self.hardware?.demand(&wanted).ok()?;
        Some(self.puzzle.as_ref()?.packings(&demand))
    }

    /// Whether all parts may cut both in the same ways.
    fn is_like(&self, other: &Self) -> bool {
        let puzzles = self.puzzle.as_ref().zip(other.puzzle.as_ref());
        self.gpu.product == other.gpu.product
            && puzzles.is_some_and(|(own, others)| own.is_shaped_like(others))
    }
}

/// How parts may cut GPUs, whatever pods there are. Most GPUs of a node are alike, parts often are too, and to find this out
/// takes its time: it is done once, and only for what is asked for.
pub(super) struct Ways {
    /// Of each GPU, the first that is like it.
    gpus: Vec<usize>,
    /// Of each part, the first with the same strategy.
    parts: Vec<usize>,
    /// By such a GPU and part.
    packings: Vec<OnceCell<Vec<Packed>>>,
}

impl Ways {
    pub(super) fn new(sites: &[Site<'_>], parts: &[Part<'_>]) -> Self {
        let like = |(number, site): (usize, &Site<'_>)| {
            let mut before = sites[..number].iter();
            before.position(|it| it.is_like(site)).unwrap_or(number)
        };
        let alike = |(number, part): (usize, &Part<'_>)| {
            let mut before = parts[..number].iter();
            let alike = before.position(|it| it.strategy == part.strategy);
            alike.unwrap_or(number)
        };
        Self {
            gpus: sites.iter().enumerate().map(like).collect(),
            parts: parts.iter().enumerate().map(alike).collect(),
            packings: vec![OnceCell::new(); sites.len() * parts.len()],
        }
    }

    /// Whether two parts are the same strategy.
    pub(super) fn are_alike(&self, one: usize, other: usize) -> bool {
        self.parts[one] == self.parts[other]
    }

    /// How the part may cut the GPU.
    pub(super) fn packings(
        &self,
        (gpu, site): (usize, &Site<'_>),
        (number, part): (usize, &Part<'_>),
    ) -> &[Packed] {
        let at = self.gpus[gpu] * self.parts.len() + self.parts[number];
        self.packings[at].get_or_init(|| site.packings(part).unwrap_or_default())
    }
}

/// The instances without these pods on them.
fn without(existing: &[Existing], leaving: &BTreeSet<String>) -> Vec<Existing> {
    let mut existing = existing.to_vec();
    for instance in &mut existing {
        if let Occupancy::Pods(pods) = &mut instance.occupancy {
            pods.retain(|pod| !leaving.contains(pod));
            if pods.is_empty() {
                instance.occupancy = Occupancy::Free;
            }
        }
    }
    existing
}
