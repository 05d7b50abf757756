//! The GPU as the command line describes it: what is on it, and who.

use std::collections::BTreeSet;

use plan::layout::{Existing, Occupancy};
use products::{Mig, Product, Profile};

use super::bad_input::BadInput;
use super::items::{Held, Placed};
use crate::args::LayoutArgs;

/// The instances of `--current` with their holders, by start. They are possible together on `product`.
pub fn existing(product: &'static Product, args: &LayoutArgs) -> Result<Vec<Existing>, BadInput> {
    once("held", args.held.iter().map(|held| &held.instance))?;
    once("pinned", args.pinned.iter())?;
    let held = args.held.iter().map(|held| ("held", &held.instance));
    let pinned = args.pinned.iter().map(|pinned| ("pinned", pinned));
    for (flag, instance) in held.chain(pinned) {
        if !args.current.contains(instance) {
            let instance = instance.clone();
            return Err(BadInput::NotCurrent { flag, instance });
        }
    }
    let both = args
        .held
        .iter()
        .find(|it| args.pinned.contains(&it.instance));
    if let Some(Held { instance, .. }) = both {
        let instance = instance.clone();
        return Err(BadInput::HeldAndPinned { instance });
    }
    let standing = standing(product, &args.current)?;
    let existing = |(placed, profile): (&Placed, &Profile)| Existing {
        profile: placed.profile.clone(),
        start: placed.start,
        size: profile.memory_slices.cast_signed(),
        whole: true,
        occupancy: occupancy(placed, args),
    };
    Ok(standing.into_iter().map(existing).collect())
}

fn once<'a>(
    flag: &'static str,
    instances: impl Iterator<Item = &'a Placed>,
) -> Result<(), BadInput> {
    let mut seen = BTreeSet::new();
    for instance in instances {
        let what = instance.to_string();
        if !seen.insert(what.clone()) {
            return Err(BadInput::Twice { flag, what });
        }
    }
    Ok(())
}

fn occupancy(placed: &Placed, args: &LayoutArgs) -> Occupancy {
    if args.pinned.contains(placed) {
        return Occupancy::Unmovable("pinned".to_owned());
    }
    let held = args.held.iter().find(|held| held.instance == *placed);
    held.map_or(Occupancy::Free, |Held { pods, .. }| {
        let pods = 1..=*pods;
        Occupancy::Pods(pods.map(|pod| format!("{pod} on {placed}")).collect())
    })
}

type Standing<'a> = Vec<(&'a Placed, &'static Profile)>;

/// The instances by start with their profiles, if they can be on the product together.
fn standing<'a>(
    product: &'static Product,
    current: &'a [Placed],
) -> Result<Standing<'a>, BadInput> {
    once("current", current.iter())?;
    let profiles = current.iter().map(|placed| profile(product, placed));
    let profiles = profiles.collect::<Result<Vec<_>, _>>()?;
    let mut standing: Vec<_> = current.iter().zip(profiles).collect();
    standing.sort_by_key(|(placed, _)| placed.start);
    for pair in standing.windows(2) {
        if let [(one, profile), (other, _)] = pair
            && one.start + profile.memory_slices.cast_signed() > other.start
        {
            return Err(BadInput::Overlap {
                one: (*one).clone(),
                size: profile.memory_slices,
                other: (*other).clone(),
            });
        }
    }
    capacity(product, &standing)?;
    Ok(standing)
}

fn profile(product: &'static Product, placed: &Placed) -> Result<&'static Profile, BadInput> {
    let instance = || placed.clone();
    let key = product.key;
    let mig = product.mig.as_ref().ok_or_else(|| BadInput::NoMig {
        instance: instance(),
        product: key,
    })?;
    let mut profiles = mig.profiles.iter();
    let profile = profiles
        .find(|profile| profile.name == placed.profile)
        .ok_or_else(|| BadInput::NotOffered {
            instance: instance(),
            product: key,
            offered: mig.profiles.iter().map(|profile| profile.name).collect(),
        })?;
    if profile.starts.contains(&placed.start.cast_unsigned()) {
        Ok(profile)
    } else {
        Err(BadInput::NoPlace {
            instance: instance(),
            product: key,
            starts: profile.starts,
        })
    }
}

/// Numbers and media engines. Compute slices are enough for whatever the places have room for.
fn capacity(product: &'static Product, standing: &Standing<'_>) -> Result<(), BadInput> {
    let mut media = [0; 4];
    for (_, profile) in standing {
        let number = standing
            .iter()
            .filter(|(_, it)| it.id == profile.id)
            .count();
        if number > profile.max_instances as usize {
            return Err(BadInput::TooMany {
                profile: profile.name,
                product: product.key,
                max: profile.max_instances,
                number,
            });
        }
        for (sum, engines) in media.iter_mut().zip(profile.engines.media()) {
            *sum += engines;
        }
    }
    let has = product.mig.as_ref().map_or([0; 4], Mig::media);
    let suffices = media.iter().zip(has).all(|(taken, has)| *taken <= has);
    let product = product.key;
    suffices
        .then_some(())
        .ok_or(BadInput::MediaEngines { product })
}
