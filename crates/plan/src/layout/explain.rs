//! Finds out why there is no placement.

use std::collections::BTreeMap;

use super::blocked;
use super::describe::counts;
use super::hardware::{Hardware, Profile};
use super::infeasible::Sum;
use super::media::Engines;
use super::puzzle::Puzzle;
use super::{Existing, Infeasible, Obstacle, Occupancy};

/// Says why a puzzle without a solution has none.
pub(super) fn explain(
    hardware: &Hardware<'_>,
    demand: &[i32],
    existing: &[Existing],
    wanted: &BTreeMap<String, i32>,
) -> Infeasible {
    let fits = |existing: &[Existing]| {
        Puzzle::new(hardware, existing).is_ok_and(|puzzle| !puzzle.packings(demand).is_empty())
    };
    let layout = counts(wanted);
    if fits(&[]) {
        // The answer does not depend on the order in which instances are read.
        let mut existing = existing.to_vec();
        existing.sort_by_key(|instance| instance.start);
        let places = blocked::places(hardware, demand, &existing);
        let by = blockers(&existing, fits);
        return Infeasible::Blocked { layout, by, places };
    }
    let profiles = rivals(hardware, demand);
    let places = blocked::places(hardware, demand, &[]);
    if profiles.is_empty() {
        let (compute, memory) = sums(hardware, demand);
        Infeasible::TooLarge {
            layout,
            compute,
            memory,
            places,
        }
    } else {
        Infeasible::MediaEngines {
            layout,
            profiles,
            places,
        }
    }
}

/// Wanted profiles that need the same media engines; none if the engines suffice.
fn rivals(hardware: &Hardware<'_>, demand: &[i32]) -> Vec<String> {
    let wanted = || {
        let each = hardware.profiles.iter().zip(demand);
        each.filter(|(_, number)| **number > 0)
    };
    let mut engines = Engines::default();
    for (profile, number) in wanted() {
        engines.add(profile.media, *number);
    }
    if engines.suffice() {
        return Vec::new();
    }
    let is_rival = |profile: &Profile<'_>| engines.room(profile.media) == 0;
    let rivals = wanted().filter(|(profile, _)| is_rival(profile));
    rivals
        .map(|(profile, _)| profile.offer.name.clone())
        .collect()
}

/// A set of unmovable instances without which there is a placement, and of which none can stay.
fn blockers(existing: &[Existing], fits: impl Fn(&[Existing]) -> bool) -> Vec<Obstacle> {
    let mut without: Vec<_> = existing.to_vec();
    for instance in &mut without {
        instance.occupancy = Occupancy::Free;
    }
    let mut by = Vec::new();
    for (index, instance) in existing.iter().enumerate() {
        if !matches!(instance.occupancy, Occupancy::Unmovable(_)) {
            continue;
        }
        without[index].occupancy = instance.occupancy.clone();
        if !fits(&without) {
            without[index].occupancy = Occupancy::Free;
            by.push(Obstacle::of(instance));
        }
    }
    by
}

fn sums(hardware: &Hardware<'_>, demand: &[i32]) -> (Sum, Sum) {
    let each = || hardware.profiles.iter().zip(demand);
    let compute = each().map(|(profile, number)| profile.offer.slices * number);
    let memory = each().map(|(profile, number)| profile.size.cast_signed() * number);
    (
        Sum {
            taken: compute.sum(),
            total: hardware.compute,
        },
        Sum {
            taken: memory.sum(),
            total: hardware.memory.cast_signed(),
        },
    )
}
