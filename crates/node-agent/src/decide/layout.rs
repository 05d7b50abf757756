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

/// Whether the GPUs have this layout; instances that others have made may stand beside it. The error is a sentence.
pub fn is_reached(gpus: &[GpuStatus], layout: &[PreviousGpu]) -> Result<(), String> {
    let mut target = Target::default();
    for wanted in layout {
        let uuid = &wanted.uuid;
        let gpu = gpus.iter().find(|gpu| gpu.uuid == *uuid);
        let gpu = gpu.ok_or_else(|| format!("GPU {uuid} is not on this node any more"))?;
        target.gpus.push(GpuTarget {
            uuid: uuid.clone(),
            index: gpu.index,
            mig: wanted.mig.clone(),
            sharing: SharingTarget {
                r#type: StrategyType::Exclusive,
                replicas: 1,
            },
        });
    }
    plan::change::is_reached(gpus, &target)
}
