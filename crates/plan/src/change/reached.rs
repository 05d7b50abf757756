//! Whether the GPUs of a node are as their target says.

use crds::gpu_node::{GpuStatus, GpuTarget, Target};

use super::difference::{fates, is_on};

/// Whether every GPU of the target has its MIG mode, and exactly its instances, each a device with a UUID. Instances
/// that others have made may stand beside them unless the target adopts. The error is a sentence: the first difference.
pub fn is_reached(current: &[GpuStatus], target: &Target) -> Result<(), String> {
    for wanted in &target.gpus {
        let name = format!("GPU {} ({})", wanted.index, wanted.uuid);
        let gpu = current
            .iter()
            .find(|gpu| gpu.uuid == wanted.uuid)
            .ok_or_else(|| format!("{name} is not on this node"))?;
        if let Some(differs) = mode(gpu, wanted).or_else(|| instances(gpu, wanted, target.adopt)) {
            return Err(format!("{name}: {differs}"));
        }
    }
    Ok(())
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

fn instances(gpu: &GpuStatus, wanted: &GpuTarget, adopt: bool) -> Option<String> {
    let fates = fates(gpu, &wanted.mig, adopt);
    if let Some(place) = fates.created.first() {
        let (profile, start) = (&place.profile, place.start);
        let there = gpu
            .instances
            .iter()
            .any(|i| i.start == place.start && i.profile == place.profile);
        let lacks = if there {
            "has no whole compute instance"
        } else {
            "is missing"
        };
        return Some(format!("{profile} at slice {start} {lacks}"));
    }
    let extra = fates.destroyed.first()?;
    Some(format!(
        "{} at slice {} should not be there",
        extra.profile, extra.start
    ))
}
