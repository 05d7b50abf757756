//! What a part of a policy would make of one GPU, and whom that disturbs.

use std::collections::BTreeSet;

use crds::gpu_node::{GpuStatus, Holder, MigInstance, MigTarget};

use super::Problem;
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
    /// Pods, `namespace/name`, that leave the GPU for it.
    pub(super) evicted: BTreeSet<String>,
    pub(super) destroyed: usize,
    pub(super) created: usize,
    /// How many more instances of each profile would fit, the largest profile first.
    pub(super) spare: Vec<i32>,
}

/// What is known of the pods of a node before its GPUs are planned.
#[derive(Debug)]
pub(super) struct Pods<'a> {
    /// Must not be evicted.
    pub(super) protected: &'a BTreeSet<String>,
    /// Are on several GPUs.
    pub(super) shared: BTreeSet<String>,
}

/// What the part may make of the GPU: one candidate, and more where it depends on other GPUs which is the best. Instances
/// that others have made go if `adopt`.
pub(super) fn candidates(
    gpu: &GpuStatus,
    (number, part): (usize, &Part<'_>),
    adopt: bool,
    pods: &Pods<'_>,
) -> Result<Vec<Candidate>, Problem> {
    let leaving = leaving(gpu, part);
    let Some(mig) = &part.strategy.mig else {
        whole(gpu, part, adopt)?;
        return Ok(vec![Candidate {
            part: number,
            mig: MigTarget::default(),
            evicted: leaving,
            destroyed: gpu.instances.len(),
            created: 0,
            spare: Vec::new(),
        }]);
    };
    let (wanted, path) = wanted(gpu, mig, &part.strategy_path())?;
    let mut existing = layout::existing(gpu, adopt);
    take_away(&mut existing, &leaving);
    let (profiles, protected) = (&gpu.profiles, pods.protected);
    let found = layout::search_each(profiles, &existing, &wanted, protected, &pods.shared);
    let found = found.map_err(|error| {
        let instead = layout::alternatives(&gpu.profiles, &existing, &wanted);
        infeasible(gpu, adopt, path, &error, &instead)
    })?;
    let candidate = |placement: Placement| of_placement(number, placement, &leaving);
    Ok(found.into_iter().map(candidate).collect())
}

fn of_placement(part: usize, placement: Placement, leaving: &BTreeSet<String>) -> Candidate {
    let mut evicted = placement.evicted;
    evicted.extend(leaving.iter().cloned());
    Candidate {
        part,
        destroyed: placement.destroyed,
        created: placement.created,
        mig: MigTarget {
            enabled: true,
            instances: placement.instances,
        },
        evicted,
        spare: placement.spare,
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
        let profile = profile(gpu, &holders[0].device);
        profile.is_some_and(|profile| is_overdrawn(holders.iter().copied(), part.offer(profile)))
    });
    overdrawn.flatten().map(|it| name(it)).collect()
}

/// The profile of one of its whole instances, none for the GPU as a whole; nothing for any other device.
fn profile<'a>(gpu: &'a GpuStatus, device: &str) -> Option<Option<&'a str>> {
    let is = |instance: &&MigInstance| instance.uuid.as_deref() == Some(device);
    if device == gpu.uuid {
        return Some(None);
    }
    let instance = gpu.instances.iter().find(is);
    instance.map(|it| Some(it.profile.as_str()))
}

/// A holder's pod, `namespace/name`.
pub(super) fn name(holder: &Holder) -> String {
    format!("{}/{}", holder.namespace, holder.pod)
}

/// Takes these pods off the instances.
fn take_away(existing: &mut [Existing], leaving: &BTreeSet<String>) {
    for instance in existing {
        if let Occupancy::Pods(pods) = &mut instance.occupancy {
            pods.retain(|pod| !leaving.contains(pod));
            if pods.is_empty() {
                instance.occupancy = Occupancy::Free;
            }
        }
    }
}
