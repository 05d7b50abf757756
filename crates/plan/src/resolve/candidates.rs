//! What a part of a policy would make of one GPU, and whom that disturbs.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crds::gpu_node::{GpuStatus, Holder, MigInstance, MigTarget};
use smallvec::smallvec;

use super::Problem;
use super::cost::{Cost, Pair, Room, Weighed};
use super::parts::Part;
use super::slices::{infeasible, wanted, whole};
use crate::change::{is_on, is_overdrawn};
use crate::layout::{self, Existing, Occupancy, Placement};

/// What a GPU may become.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    /// The part that it follows then, as a number.
    pub(super) part: usize,
    pub(super) mig: MigTarget,
    /// The numbered pods that leave the GPU for it, one bit each.
    gone: u128,
    /// The others that leave.
    evicted: Pair,
    destroyed: usize,
    created: usize,
    /// How many more instances of each profile would fit, the largest profile first.
    spare: Vec<i32>,
}

/// What is known of the pods of a node before its GPUs are planned.
#[derive(Debug)]
pub(super) struct Pods<'a> {
    /// Must not be evicted.
    pub(super) protected: &'a BTreeSet<String>,
    /// Are on several GPUs, by their number.
    pub(super) shared: BTreeMap<String, u32>,
}

/// What the part may make of the GPU with these instances: one candidate, and more where it depends on other GPUs which is
/// the best. None if there is a [`problem`].
pub(super) fn candidates(
    (gpu, existing): (&GpuStatus, &[Existing]),
    (number, part): (usize, &Part<'_>),
    adopt: bool,
    pods: &Pods<'_>,
) -> Vec<Candidate> {
    let leaving = leaving(gpu, part);
    let (gone, evicted) = pods.count(&leaving);
    let Some(mig) = &part.strategy.mig else {
        let whole = whole(gpu, part, adopt).ok().map(|()| Candidate {
            part: number,
            mig: MigTarget::default(),
            gone,
            evicted,
            destroyed: gpu.instances.len(),
            created: 0,
            spare: Vec::new(),
        });
        return whole.into_iter().collect();
    };
    let Ok((wanted, _)) = wanted(gpu, mig, &part.strategy_path()) else {
        return Vec::new();
    };
    let existing = without(existing, &leaving);
    let (profiles, protected) = (&gpu.profiles, pods.protected);
    let found = layout::search_each(profiles, &existing, &wanted, protected, &pods.shared);
    let candidate = |placement: Placement| Candidate {
        part: number,
        mig: MigTarget {
            enabled: true,
            instances: placement.instances,
        },
        gone: gone | placement.gone,
        evicted: evicted.plus(Pair(placement.spared, placement.evicted)),
        destroyed: placement.destroyed,
        created: placement.created,
        spare: placement.spare,
    };
    found.into_iter().map(candidate).collect()
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

impl Candidate {
    /// In numbers. `room`: which of the node's profiles the numbers of `spare` are about, of so many.
    pub(super) fn weigh(&self, room: &[usize], profiles: usize) -> Weighed {
        let mut by_profile: Room = smallvec![0; profiles];
        for (&profile, &number) in room.iter().zip(&self.spare) {
            by_profile[profile] = number;
        }
        Weighed {
            part: self.part,
            gone: self.gone,
            cost: Cost {
                evicted: self.evicted,
                destroyed: self.destroyed,
                created: self.created,
                room: Reverse(by_profile),
            },
        }
    }
}

impl Pods<'_> {
    /// The numbered ones among these pods, one bit each, and how many others there are.
    fn count(&self, pods: &BTreeSet<String>) -> (u128, Pair) {
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

/// The pods that must leave the GPU whatever becomes of its instances: all, if its MIG mode is switched, else those on a
/// device that the plugin would hand out to more than may share it.
fn leaving(gpu: &GpuStatus, part: &Part<'_>) -> BTreeSet<String> {
    if gpu.holders.is_empty() {
        return BTreeSet::new();
    }
    if is_on(gpu.mig.current) != part.strategy.mig.is_some() {
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

/// A holder's pod, `namespace/name`.
pub(super) fn name(holder: &Holder) -> String {
    format!("{}/{}", holder.namespace, holder.pod)
}

/// The instances without these pods on them.
fn without<'a>(existing: &'a [Existing], leaving: &BTreeSet<String>) -> Cow<'a, [Existing]> {
    let mut existing = Cow::Borrowed(existing);
    if leaving.is_empty() {
        return existing;
    }
    for instance in existing.to_mut() {
        if let Occupancy::Pods(pods) = &mut instance.occupancy {
            pods.retain(|pod| !leaving.contains(pod));
            if pods.is_empty() {
                instance.occupancy = Occupancy::Free;
            }
        }
    }
    existing
}
