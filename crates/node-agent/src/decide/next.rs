//! The next step from the GPUs as they are towards a layout.
//!
//! Two parts, one after the other: first everything goes that is in the way (and MIG modes are switched), then what is
//! missing is made. Each step is computed from a fresh look, so that any beginning, also one in the middle, is as good
//! as another.

use crds::gpu_node::{GpuStatus, MigInstance, MigMode, PlacedProfile, PreviousGpu};

use super::Step;

/// Which instances go although something stands where it should, or although others have made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To a target: an instance that is no whole device is made anew, and with `adopt` those that others have made go too.
    Forward {
        /// The target's `adopt`.
        adopt: bool,
    },
    /// To the layout from before: what still stands there is filled again.
    Back,
}

/// The next step of clearing: what is not in the layout goes, modes become those of the layout. None: nothing is left
/// to clear.
pub fn clearing(gpus: &[GpuStatus], layout: &[PreviousGpu], way: Way) -> Option<Step> {
    let mut each: Vec<_> = pairs(gpus, layout).collect();
    // Where only a reboot brings a mode, nothing else is to be touched: modes first, and of those first where nothing has to be
    // destroyed for it.
    each.sort_by_key(|(gpu, wanted)| (switch(gpu, wanted).is_none(), !gpu.instances.is_empty()));
    each.into_iter()
        .find_map(|(gpu, wanted)| clear(gpu, wanted, way))
}

/// The next step of building: what is missing is made. None: nothing is missing on a GPU whose mode is right.
pub fn building(gpus: &[GpuStatus], layout: &[PreviousGpu]) -> Option<Step> {
    pairs(gpus, layout)
        .filter(|(gpu, wanted)| wanted.mig.enabled && is_on(gpu.mig.current))
        .find_map(|(gpu, wanted)| {
            let mut places = wanted.mig.instances.iter();
            let mut divided = wanted.divided.iter();
            let made = places.find_map(|place| make(gpu, place));
            made.or_else(|| divided.find_map(|it| replace(gpu, &it.at)))
        })
}

fn pairs<'a>(
    gpus: &'a [GpuStatus],
    layout: &'a [PreviousGpu],
) -> impl Iterator<Item = (&'a GpuStatus, &'a PreviousGpu)> {
    layout.iter().filter_map(|wanted| {
        let gpu = gpus.iter().find(|gpu| gpu.uuid == wanted.uuid)?;
        Some((gpu, wanted))
    })
}

fn clear(gpu: &GpuStatus, wanted: &PreviousGpu, way: Way) -> Option<Step> {
    let mut instances = gpu.instances.iter();
    if let Some(instance) = instances.find(|it| goes(it, wanted, way)) {
        return Some(destroy(gpu, instance));
    }
    switch(gpu, wanted)
}

fn switch(gpu: &GpuStatus, wanted: &PreviousGpu) -> Option<Step> {
    let enabled = wanted.mig.enabled;
    let is_right = is_on(gpu.mig.current) == enabled && is_on(gpu.mig.pending) == enabled;
    (!is_right).then(|| Step::SetMode {
        gpu: gpu.uuid.clone(),
        enabled,
    })
}

fn goes(instance: &MigInstance, wanted: &PreviousGpu, way: Way) -> bool {
    let divided = wanted.divided.iter().map(|it| &it.at);
    let mut places = wanted.mig.instances.iter().chain(divided);
    let is_wanted = places.any(|place| is_at(instance, place));
    match way {
        Way::Forward { adopt } => {
            (instance.owned || adopt) && !(is_wanted && instance.uuid.is_some())
        }
        Way::Back => instance.owned && !is_wanted,
    }
}

fn destroy(gpu: &GpuStatus, instance: &MigInstance) -> Step {
    let at = PlacedProfile {
        start: instance.start,
        profile: instance.profile.clone(),
    };
    let gpu = gpu.uuid.clone();
    match instance.uuid.clone() {
        Some(device) => Step::DestroyDevice { gpu, at, device },
        None => Step::DestroyInstance { gpu, at },
    }
}

fn make(gpu: &GpuStatus, place: &PlacedProfile) -> Option<Step> {
    let there = gpu.instances.iter().find(|there| is_at(there, place));
    let (gpu, at) = (gpu.uuid.clone(), place.clone());
    match there {
        None => Some(Step::CreateInstance { gpu, at }),
        Some(instance) if instance.uuid.is_none() => Some(Step::CreateDevice { gpu, at }),
        Some(_) => None,
    }
}

/// Makes what takes the place of an instance of somebody else's that is gone. One that stands there is left.
fn replace(gpu: &GpuStatus, place: &PlacedProfile) -> Option<Step> {
    let mut instances = gpu.instances.iter();
    let is_theirs = instances.any(|it| !it.owned && is_at(it, place));
    (!is_theirs).then(|| make(gpu, place)).flatten()
}

/// Whether the instance has this profile at this place.
pub fn is_at(instance: &MigInstance, place: &PlacedProfile) -> bool {
    instance.start == place.start && instance.profile == place.profile
}

/// Whether MIG mode is on. A product without MIG is off.
pub const fn is_on(mode: MigMode) -> bool {
    match mode {
        MigMode::Enabled => true,
        MigMode::Disabled | MigMode::NotSupported => false,
    }
}
