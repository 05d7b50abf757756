//! The difference between one GPU and its target.

use std::collections::BTreeSet;

use crds::gpu_node::{
    ChangeClass, GpuPlan, GpuStatus, GpuTarget, MigInstance, MigMode, MigTarget, PlacedProfile,
    Target,
};

use super::{mps, overdrawn};
use crate::layout::describe;
use crate::offer::Offer;

/// The difference between one GPU and its target. The plan is whole even if nothing differs.
pub(super) struct Difference {
    pub(super) class: ChangeClass,
    pub(super) plan: GpuPlan,
    pub(super) affected: BTreeSet<String>,
    /// Why devices that stay must be emptied.
    pub(super) emptied: Vec<String>,
}

/// What becomes of the instances of a GPU.
pub(super) struct Fates<'a> {
    pub(super) kept: Vec<&'a MigInstance>,
    /// Made by others, not wanted and not ours to destroy.
    left: Vec<&'a MigInstance>,
    pub(super) destroyed: Vec<&'a MigInstance>,
    pub(super) created: Vec<&'a PlacedProfile>,
}

/// `wanted` is what the `target` says of this GPU. `restarts`: the MPS daemon of the node is started, stopped, or told
/// other limits.
pub(super) fn of(
    gpu: &GpuStatus,
    wanted: &GpuTarget,
    target: &Target,
    restarts: bool,
) -> Difference {
    let mut difference = of_slices(gpu, wanted, target);
    if restarts && (gpu.mps.is_some() || wanted.through_mps().is_some()) {
        difference.class = ChangeClass::Gpus;
        difference.affected.extend(everything_on(gpu));
    }
    difference
}

fn of_slices(gpu: &GpuStatus, wanted: &GpuTarget, target: &Target) -> Difference {
    let enabled = wanted.mig.enabled;
    if is_on(gpu.mig.current) != enabled {
        return switch(gpu, wanted);
    }
    let is_pending = is_on(gpu.mig.pending) != enabled;
    let fates = fates(gpu, &wanted.mig, target.adopt);
    let overdrawn = overdrawn::of(gpu, &fates.kept, |profile| {
        Offer::of(target, wanted, profile)
    });
    let class = if !overdrawn.is_empty() {
        ChangeClass::Gpus
    } else if is_pending || !fates.destroyed.is_empty() || !fates.created.is_empty() {
        ChangeClass::Devices
    } else {
        ChangeClass::None
    };
    let gone = fates.destroyed.iter().flat_map(|gone| gone.devices());
    Difference {
        class,
        affected: gone
            .chain(overdrawn.iter().map(|it| it.device))
            .cloned()
            .collect(),
        emptied: overdrawn.into_iter().map(|it| it.why).collect(),
        plan: plan(gpu, wanted, target_with(&wanted.mig, &fates.left), &fates),
    }
}

/// Whether this MIG mode is on. A product without MIG is off.
pub(crate) const fn is_on(mode: MigMode) -> bool {
    match mode {
        MigMode::Enabled => true,
        MigMode::Disabled | MigMode::NotSupported => false,
    }
}

/// Nothing on a GPU outlives a switch of its MIG mode.
fn switch(gpu: &GpuStatus, wanted: &GpuTarget) -> Difference {
    let fates = Fates {
        kept: Vec::new(),
        left: Vec::new(),
        destroyed: gpu.instances.iter().collect(),
        created: wanted.mig.instances.iter().collect(),
    };
    Difference {
        class: ChangeClass::Gpus,
        affected: everything_on(gpu).collect(),
        emptied: Vec::new(),
        plan: plan(gpu, wanted, wanted.mig.clone(), &fates),
    }
}

/// UUIDs of the GPU, of its slices, and of whatever else somebody has of it.
fn everything_on(gpu: &GpuStatus) -> impl Iterator<Item = String> {
    let holders = gpu.holders.iter().map(|holder| &holder.device);
    let processes = gpu.processes.iter().map(|process| &process.device);
    let instances = gpu.instances.iter().flat_map(MigInstance::devices);
    let devices = [&gpu.uuid].into_iter().chain(instances);
    devices.chain(holders).chain(processes).cloned()
}

/// What becomes of each instance, and what is missing.
pub(super) fn fates<'a>(gpu: &'a GpuStatus, wanted: &'a MigTarget, adopt: bool) -> Fates<'a> {
    let is = |instance: &MigInstance, place: &PlacedProfile| {
        let same = instance.start == place.start && instance.profile == place.profile;
        same && instance.uuid.is_some()
    };
    let wanted = &wanted.instances;
    let (kept, rest): (Vec<_>, Vec<_>) = gpu
        .instances
        .iter()
        .partition(|instance| wanted.iter().any(|place| is(instance, place)));
    let missing = |place: &&PlacedProfile| !kept.iter().any(|instance| is(instance, place));
    let created = wanted.iter().filter(missing).collect();
    let (destroyed, left) = rest
        .into_iter()
        .partition(|instance| instance.owned || adopt);
    Fates {
        kept,
        left,
        destroyed,
        created,
    }
}

/// The target, with what others have made and is left beside it.
fn target_with(wanted: &MigTarget, left: &[&MigInstance]) -> MigTarget {
    let mut target = wanted.clone();
    target.instances.extend(left.iter().map(|i| placed(i)));
    target.instances.sort();
    target
}

fn placed(instance: &MigInstance) -> PlacedProfile {
    PlacedProfile {
        start: instance.start,
        profile: instance.profile.clone(),
    }
}

fn plan(gpu: &GpuStatus, wanted: &GpuTarget, to: MigTarget, fates: &Fates<'_>) -> GpuPlan {
    let from = MigTarget {
        enabled: is_on(gpu.mig.current),
        instances: gpu.instances.iter().map(placed).collect(),
    };
    GpuPlan {
        index: gpu.index,
        uuid: gpu.uuid.clone(),
        before: mps::described(describe(&from), gpu.mps.as_ref()),
        after: mps::described(describe(&to), wanted.through_mps()),
        from,
        to,
        kept: number(fates.kept.len() + fates.left.len()),
        destroyed: number(fates.destroyed.len()),
        created: number(fates.created.len()),
    }
}

fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
