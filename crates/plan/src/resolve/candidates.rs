//! What a part of a policy would make of one GPU, and whom that disturbs.

use std::collections::{BTreeMap, BTreeSet};

use crds::gpu_node::{GpuStatus, Holder, MigInstance, MigTarget};
use smallvec::smallvec;

use super::Problem;
use super::cost::{Pair, Room, Toll};
use super::parts::Part;
use super::slices::{infeasible, wanted, whole};
use crate::change::{is_on, is_overdrawn};
use crate::layout::{self, Existing, Hardware, Packed, Placement, Puzzle};

/// What a GPU may become.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate<'a> {
    /// The part that it follows then, as a number.
    pub(super) part: usize,
    /// How it is cut; none: it stays whole.
    cut: Option<&'a Packed>,
    /// The numbered pods that leave the GPU for it, one bit each.
    pub(super) gone: u128,
    /// The others that leave.
    evicted: Pair,
    destroyed: usize,
    created: usize,
}

/// What is known of the pods of a node before its GPUs are planned.
#[derive(Debug)]
pub(super) struct Pods<'a> {
    /// Must not be evicted.
    pub(super) protected: &'a BTreeSet<String>,
    /// Are on several GPUs, by their number.
    pub(super) shared: BTreeMap<String, u32>,
}

/// Why the part can make nothing of the GPU, which takes longer than to find that out.
pub(super) fn problem(gpu: &GpuStatus, part: &Part<'_>, adopt: bool) -> Option<Problem> {
    let Some(mig) = &part.strategy.mig else {
        return whole(gpu, part, adopt).err();
    };
    let (wanted, path) = match wanted(gpu, mig, &part.strategy_path()) {
        Ok(wanted) => wanted,
        Err(problem) => return Some(problem),
    };
    let existing = layout::existing(gpu, adopt);
    let error = layout::search(&gpu.profiles, &existing, &wanted).err()?;
    let instead = layout::alternatives(&gpu.profiles, &existing, &wanted);
    Some(infeasible(gpu, adopt, path, &error, &instead))
}

impl<'a> Candidate<'a> {
    /// To remain whole, or to become so; these leave.
    pub(super) const fn whole(part: usize, gpu: &GpuStatus, (gone, evicted): (u128, Pair)) -> Self {
        Self {
            part,
            cut: None,
            gone,
            evicted,
            destroyed: gpu.instances.len(),
            created: 0,
        }
    }

    /// To be cut so; these leave in any case.
    pub(super) fn cut(
        part: usize,
        placement: &Placement<'a>,
        (gone, evicted): (u128, Pair),
    ) -> Self {
        Self {
            part,
            cut: Some(placement.packed),
            gone: gone | placement.gone,
            evicted: evicted.plus(Pair(placement.spared, placement.evicted)),
            destroyed: placement.destroyed,
            created: placement.created,
        }
    }

    /// The same for a part that is alike.
    pub(super) const fn for_part(&self, part: usize) -> Self {
        Self { part, ..*self }
    }

    /// As the agent is told, for a GPU of this hardware.
    pub(super) fn target(&self, hardware: Option<&Hardware<'_>>) -> MigTarget {
        let cut = self.cut.zip(hardware);
        cut.map_or_else(MigTarget::default, |(packed, hardware)| MigTarget {
            enabled: true,
            instances: hardware.instances(&packed.starts),
        })
    }

    /// In numbers. `room`: which of the node's profiles the numbers of `spare` are about, of so many.
    pub(super) fn toll(&self, room: &[usize], profiles: usize) -> Toll {
        let mut by_profile: Room = smallvec![0; profiles];
        if let Some(packed) = self.cut {
            for (&profile, &number) in room.iter().zip(&packed.spare.0) {
                by_profile[profile] = number;
            }
        }
        Toll {
            evicted: self.evicted,
            destroyed: self.destroyed,
            created: self.created,
            room: by_profile,
        }
    }
}

impl Pods<'_> {
    /// None: the instances cannot be there together.
    pub(super) fn puzzle<'a>(
        &self,
        hardware: &'a Hardware<'a>,
        existing: &'a [Existing],
    ) -> Option<Puzzle<'a>> {
        let puzzle = Puzzle::new(hardware, existing).ok()?;
        Some(puzzle.counting(self.protected, &self.shared))
    }

    /// The numbered ones among these pods, one bit each, and how many others there are.
    pub(super) fn count(&self, pods: &BTreeSet<String>) -> (u128, Pair) {
        let (mut gone, mut others) = (0, Pair::default());
        for pod in pods {
            match self.shared.get(pod) {
                Some(number) => gone |= 1 << number,
                None => others = others.plus(self.weight(pod)),
            }
        }
        (gone, others)
    }

    /// What it counts that a pod leaves.
    pub(super) fn weight(&self, pod: &str) -> Pair {
        Pair(usize::from(self.protected.contains(pod)), 1)
    }
}

/// The pods that must leave the GPU whatever becomes of its instances: all, if its MIG mode is switched or MPS comes to
/// serve it otherwise, else those on a device that the plugin would hand out to more than may share it.
pub(super) fn leaving(gpu: &GpuStatus, part: &Part<'_>) -> BTreeSet<String> {
    if gpu.holders.is_empty() {
        return BTreeSet::new();
    }
    let is_switched = is_on(gpu.mig.current) != part.strategy.mig.is_some();
    if is_switched || is_served_otherwise(gpu, part) {
        return gpu.holders.iter().map(name).collect();
    }
    let mut holders: Vec<_> = gpu.holders.iter().collect();
    holders.sort_unstable_by_key(|it| it.device.as_str());
    let by_device = holders.chunk_by(|one, other| one.device == other.device);
    let overdrawn = by_device.filter(|holders| {
        let device = &holders[0].device;
        let is = |instance: &&MigInstance| instance.uuid.as_ref() == Some(device);
        let slice = gpu.instances.iter().find(is);
        let offer = part.offer(slice.map(|it| it.profile.as_str()));
        let is_there = slice.is_some() || *device == gpu.uuid;
        is_there && is_overdrawn(holders.iter().copied(), offer)
    });
    overdrawn.flatten().map(|it| name(it)).collect()
}

fn is_served_otherwise(gpu: &GpuStatus, part: &Part<'_>) -> bool {
    match (&gpu.mps, &part.strategy.mps) {
        (None, None) => false,
        (Some(_), None) | (None, Some(_)) => true,
        (Some(is), Some(_)) => *is != part.sharing(gpu, &MigTarget::default()),
    }
}

/// A holder's pod, `namespace/name`.
pub(super) fn name(holder: &Holder) -> String {
    format!("{}/{}", holder.namespace, holder.pod)
}
