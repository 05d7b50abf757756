//! Whether a target can be had on the GPUs as they are: the answer to `Prepare`, and once more before the first step.

use crds::gpu_node::{
    GpuStatus, GpuTarget, MigInstance, MigMode, PlacedProfile, ProfileOffer, Target,
};

use super::next::{is_at, is_on};

/// Whether the target can be had. The error is a sentence for people: what is wrong, and what to do. `mps`: whether MPS can
/// be had, or why not.
pub fn check(gpus: &[GpuStatus], target: &Target, mps: Result<(), &str>) -> Result<(), String> {
    super::mps::check(target, mps)?;
    target.gpus.iter().try_for_each(|wanted| {
        let name = format!("GPU {} ({})", wanted.index, wanted.uuid);
        let gpu = gpus.iter().find(|gpu| gpu.uuid == wanted.uuid);
        let gpu = gpu.ok_or_else(|| {
            format!("{name} is not on this node any more; the operator plans again with the GPUs that are")
        })?;
        one(gpu, wanted, target.adopt).map_err(|wrong| format!("{name}: {wrong}"))
    })
}

fn one(gpu: &GpuStatus, wanted: &GpuTarget, adopt: bool) -> Result<(), String> {
    if wanted.mig.enabled && gpu.mig.current == MigMode::NotSupported {
        let product = &gpu.product;
        return Err(format!("{product} has no MIG; use another strategy for it"));
    }
    foreign(gpu, wanted, adopt)?;
    // The driver may list no profiles while MIG mode is off; then it has the last word when the instances are made.
    match (gpu.profiles.is_empty(), gpu.mig.current) {
        (true, MigMode::Disabled | MigMode::NotSupported) => return Ok(()),
        // Then nobody sees the instances that stand there either.
        (true, MigMode::Enabled) => {
            return Err("MIG mode is on, and the driver offers no profile; check it with `nvidia-smi mig -lgip`".to_owned());
        }
        (false, MigMode::Disabled | MigMode::Enabled | MigMode::NotSupported) => {}
    }
    let places = &wanted.mig.instances;
    places.iter().try_for_each(|place| offered(gpu, place))?;
    disjoint(gpu, places)
}

/// Instances that others have made are left alone, so what is wanted must go around them.
fn foreign(gpu: &GpuStatus, wanted: &GpuTarget, adopt: bool) -> Result<(), String> {
    let switches = is_on(gpu.mig.current) != wanted.mig.enabled;
    for there in gpu.instances.iter().filter(|it| !it.owned && !adopt) {
        let name = format!("{} at slice {}", there.profile, there.start);
        let made = if there.parts.is_empty() {
            "made"
        } else {
            "divided"
        };
        let advice = format!("{made} by somebody else; set mig.adopt to let operations destroy it");
        if switches {
            return Err(format!("MIG mode cannot be switched: {name} was {advice}"));
        }
        if let Some(place) = displaced(gpu, there, &wanted.mig.instances) {
            let (profile, start) = (&place.profile, place.start);
            return Err(format!(
                "{profile} at slice {start} cannot be made: {name} stands there, {advice}"
            ));
        }
    }
    Ok(())
}

/// A wanted place that an instance stands in the way of, unless it is what is wanted there.
fn displaced<'a>(
    gpu: &GpuStatus,
    there: &MigInstance,
    places: &'a [PlacedProfile],
) -> Option<&'a PlacedProfile> {
    let is_it = |place: &PlacedProfile| there.uuid.is_some() && is_at(there, place);
    let meets = |place: &PlacedProfile| {
        there.start < place.start + size(gpu, place) && place.start < there.start + there.size
    };
    places.iter().find(|place| meets(place) && !is_it(place))
}

fn offered(gpu: &GpuStatus, place: &PlacedProfile) -> Result<(), String> {
    let PlacedProfile { start, profile } = place;
    let offer = offer(gpu, place).ok_or_else(|| {
        let names: Vec<_> = gpu.profiles.iter().map(|it| it.name.as_str()).collect();
        let names = names.join(", ");
        format!("the driver offers no {profile}; it offers {names}")
    })?;
    let starts: Vec<_> = offer.placements.iter().map(|it| it.start).collect();
    if starts.contains(start) {
        return Ok(());
    }
    if starts.is_empty() {
        return Err(format!(
            "the driver tells no place at which {profile} may stand"
        ));
    }
    let starts: Vec<_> = starts.iter().map(ToString::to_string).collect();
    let starts = starts.join(", ");
    Err(format!(
        "{profile} cannot stand at slice {start}, only at {starts}"
    ))
}

/// The instances as wanted share no slice, and are not too many.
fn disjoint(gpu: &GpuStatus, places: &[PlacedProfile]) -> Result<(), String> {
    for (number, place) in places.iter().enumerate() {
        let PlacedProfile { start, profile } = place;
        let end = start + size(gpu, place);
        let meets = |it: &&PlacedProfile| it.start < end && *start < it.start + size(gpu, it);
        if let Some(other) = places[..number].iter().find(meets) {
            return Err(format!(
                "{} at slice {} and {profile} at slice {start} would share slices",
                other.profile, other.start
            ));
        }
        let alike = places.iter().filter(|it| it.profile == *profile).count();
        let most = offer(gpu, place).map_or(0, |offer| offer.max);
        if i32::try_from(alike).unwrap_or(i32::MAX) > most {
            return Err(format!(
                "{alike} instances of {profile} are wanted, and the GPU takes {most}"
            ));
        }
    }
    Ok(())
}

fn offer<'a>(gpu: &'a GpuStatus, place: &PlacedProfile) -> Option<&'a ProfileOffer> {
    let mut offers = gpu.profiles.iter();
    offers.find(|offer| offer.name == place.profile)
}

/// Memory slices that an instance takes; 1 if the driver does not say.
fn size(gpu: &GpuStatus, place: &PlacedProfile) -> i32 {
    let placements = offer(gpu, place).into_iter().flat_map(|it| &it.placements);
    let mut here = placements.filter(|it| it.start == place.start);
    here.next().map_or(1, |placement| placement.size)
}
