//! Layouts: which slices each GPU has, in the form that is kept and gone back to.

use crds::gpu_node::{
    GpuStatus, GpuTarget, MigTarget, PlacedProfile, PreviousGpu, SharingTarget, Target,
};
use crds::policy::StrategyType;

use super::next::is_on;

/// The slices that a target asks for.
pub fn wanted(target: &Target) -> Vec<PreviousGpu> {
    let of = |gpu: &GpuTarget| PreviousGpu {
        uuid: gpu.uuid.clone(),
        mig: gpu.mig.clone(),
    };
    target.gpus.iter().map(of).collect()
}

/// The slices that the GPUs of a target have now. An instance that is no device for pods is not worth going back to.
pub fn present(gpus: &[GpuStatus], target: &Target) -> Vec<PreviousGpu> {
    let is_meant = |gpu: &&GpuStatus| target.gpus.iter().any(|wanted| wanted.uuid == gpu.uuid);
    let of = |gpu: &GpuStatus| PreviousGpu {
        uuid: gpu.uuid.clone(),
        mig: slices(gpu),
    };
    gpus.iter().filter(is_meant).map(of).collect()
}

/// The slices of a GPU that pods can use.
pub fn slices(gpu: &GpuStatus) -> MigTarget {
    let devices = gpu.instances.iter().filter(|slice| slice.uuid.is_some());
    let instances = devices.map(|slice| PlacedProfile {
        start: slice.start,
        profile: slice.profile.clone(),
    });
    MigTarget {
        enabled: is_on(gpu.mig.current),
        instances: instances.collect(),
    }
}

/// Whether the GPUs have this layout; instances that others have made may stand beside it. The error is a sentence: the
/// first difference.
pub fn is_reached(gpus: &[GpuStatus], layout: &[PreviousGpu]) -> Result<(), String> {
    let first = differences(gpus, layout).into_iter().next();
    first.map_or(Ok(()), Err)
}

/// What differs between the GPUs and this layout, instance by instance, each a sentence.
pub fn differences(gpus: &[GpuStatus], layout: &[PreviousGpu]) -> Vec<String> {
    let of = |wanted: &PreviousGpu| match gpus.iter().find(|gpu| gpu.uuid == wanted.uuid) {
        None => vec![format!("GPU {} is not on this node any more", wanted.uuid)],
        Some(gpu) => {
            let target = Target {
                gpus: vec![target(gpu, wanted)],
                ..Target::default()
            };
            plan::change::differences(gpus, &target)
        }
    };
    layout.iter().flat_map(of).collect()
}

fn target(gpu: &GpuStatus, wanted: &PreviousGpu) -> GpuTarget {
    GpuTarget {
        uuid: gpu.uuid.clone(),
        index: gpu.index,
        mig: wanted.mig.clone(),
        sharing: SharingTarget {
            r#type: StrategyType::Exclusive,
            replicas: 1,
        },
    }
}
