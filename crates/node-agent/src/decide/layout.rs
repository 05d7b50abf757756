//! Layouts: which slices each GPU has, and how MPS serves it, in the form that is kept and gone back to.

use crds::gpu_node::{
    DividedInstance, GpuStatus, GpuTarget, MigInstance, MigTarget, PlacedProfile, PreviousGpu,
    SharingTarget, Target,
};

use super::next::{is_at, is_on};

/// What a target asks for.
pub fn wanted(target: &Target) -> Vec<PreviousGpu> {
    let of = |gpu: &GpuTarget| PreviousGpu {
        uuid: gpu.uuid.clone(),
        mig: gpu.mig.clone(),
        divided: Vec::new(),
        mps: gpu.through_mps().cloned(),
    };
    target.gpus.iter().map(of).collect()
}

/// What the GPUs of a target are now. An instance of ours that is no device for pods is not worth going back
/// to; one of somebody else's keeps its place.
pub fn present(gpus: &[GpuStatus], target: &Target) -> Vec<PreviousGpu> {
    let is_meant = |gpu: &&GpuStatus| target.gpus.iter().any(|wanted| wanted.uuid == gpu.uuid);
    let of = |gpu: &GpuStatus| PreviousGpu {
        uuid: gpu.uuid.clone(),
        mig: slices(gpu),
        divided: divided(gpu),
        mps: gpu.mps.clone(),
    };
    gpus.iter().filter(is_meant).map(of).collect()
}

fn divided(gpu: &GpuStatus) -> Vec<DividedInstance> {
    let theirs = gpu.instances.iter().filter(|it| !it.owned);
    theirs
        .filter(|it| it.uuid.is_none())
        .map(|it| DividedInstance {
            at: PlacedProfile {
                start: it.start,
                profile: it.profile.clone(),
            },
            parts: it.parts.clone(),
        })
        .collect()
}

/// What is not as it was although every place of this layout is taken again: a sentence for each instance of somebody
/// else's that came back as one device, or that has lost parts.
pub fn changed(gpus: &[GpuStatus], layout: &[PreviousGpu]) -> Vec<String> {
    let of = |previous: &PreviousGpu| {
        let gpu = gpus.iter().find(|gpu| gpu.uuid == previous.uuid);
        let found = previous.divided.iter().filter_map(|was| {
            let mut instances = gpu?.instances.iter();
            let is = instances.find(|it| is_at(it, &was.at))?;
            lost(was, is).map(|lost| format!("of GPU {}: {lost}", previous.uuid))
        });
        found.collect::<Vec<_>>()
    };
    layout.iter().flat_map(of).collect()
}

fn lost(was: &DividedInstance, is: &MigInstance) -> Option<String> {
    let name = format!("{} at slice {}", is.profile, is.start);
    let gone = was.parts.iter().filter(|part| !is.parts.contains(part));
    let gone: Vec<_> = gone.map(String::as_str).collect();
    if is.owned {
        let inside = if gone.is_empty() {
            "nothing".to_owned()
        } else {
            gone.join(", ")
        };
        return Some(format!(
            "{name}, which somebody else had made with {inside} in it, is one device now"
        ));
    }
    let gone = (!gone.is_empty()).then(|| gone.join(", "))?;
    Some(format!(
        "{name} is somebody else's, and {gone} in it is gone"
    ))
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
    let sharing = wanted.mps.clone();
    GpuTarget {
        uuid: gpu.uuid.clone(),
        index: gpu.index,
        mig: with_divided(gpu, wanted),
        sharing: sharing.unwrap_or_else(SharingTarget::exclusive),
    }
}

/// The slices, and those places of instances of others that are not theirs any more.
fn with_divided(gpu: &GpuStatus, wanted: &PreviousGpu) -> MigTarget {
    let mut mig = wanted.mig.clone();
    let is_theirs = |place: &&PlacedProfile| {
        let mut instances = gpu.instances.iter();
        instances.any(|it| !it.owned && is_at(it, place))
    };
    let places = wanted.divided.iter().map(|it| &it.at);
    let taken = places.filter(|place| !is_theirs(place));
    mig.instances.extend(taken.cloned());
    mig
}
