//! Whether the GPUs of a node are as their target says.

use crds::gpu_node::{GpuStatus, GpuTarget, MigInstance, PlacedProfile, Target};

use super::difference::{fates, is_on};
use super::mps;

/// Whether every GPU of the target has its MIG mode, and exactly its instances, each a device with a UUID, and is served
/// through MPS exactly as it says. Instances that others have made may stand beside them unless the target adopts. The
/// error is a sentence: the first difference.
pub fn is_reached(current: &[GpuStatus], target: &Target) -> Result<(), String> {
    let first = differences(current, target).into_iter().next();
    first.map_or(Ok(()), Err)
}

/// What [`is_reached`] finds, GPU by GPU and instance by instance: each a sentence. Where the mode differs, the
/// instances are not compared.
pub fn differences(current: &[GpuStatus], target: &Target) -> Vec<String> {
    let of = |wanted: &GpuTarget| {
        let found = current.iter().find(|gpu| gpu.uuid == wanted.uuid);
        let name = format!("GPU {} ({})", wanted.index, wanted.uuid);
        let Some(gpu) = found else {
            return vec![format!("{name} is not on this node")];
        };
        let differs = mode(gpu, wanted).map_or_else(
            || {
                let slices = instances(gpu, wanted, target.adopt).into_iter();
                slices.chain(mps::difference(gpu, wanted)).collect()
            },
            |differs| vec![differs],
        );
        let named = differs.iter().map(|differs| format!("{name}: {differs}"));
        named.collect()
    };
    target.gpus.iter().flat_map(of).collect()
}

fn mode(gpu: &GpuStatus, wanted: &GpuTarget) -> Option<String> {
    let word = |on| if on { "on" } else { "off" };
    let enabled = wanted.mig.enabled;
    if is_on(gpu.mig.current) != enabled {
        let (is, want) = (word(!enabled), word(enabled));
        return Some(format!("MIG mode is {is} and should be {want}"));
    }
    (is_on(gpu.mig.pending) != enabled).then(|| {
        let after = word(!enabled);
        format!("MIG mode will be {after} after the next reset of the GPU, which is not wanted")
    })
}

fn instances(gpu: &GpuStatus, wanted: &GpuTarget, adopt: bool) -> Vec<String> {
    let fates = fates(gpu, &wanted.mig, adopt);
    let missing = fates.created.iter().map(|place| {
        let mut there = gpu.instances.iter().filter(|it| is_at(it, place));
        let lacks = if there.next().is_some() {
            "has no whole compute instance"
        } else {
            "is missing"
        };
        format!("{} at slice {} {lacks}", place.profile, place.start)
    });
    let is_told = |it: &&&MigInstance| fates.created.iter().any(|place| is_at(it, place));
    let extra = fates.destroyed.iter().filter(|it| !is_told(it));
    let extra = extra.map(|it| format!("{} at slice {} should not be there", it.profile, it.start));
    missing.chain(extra).collect()
}

fn is_at(instance: &MigInstance, place: &PlacedProfile) -> bool {
    instance.start == place.start && instance.profile == place.profile
}
