//! Finds out why there is no placement.

use std::collections::BTreeMap;

use super::describe::counts;
use super::hardware::Hardware;
use super::infeasible::Sum;
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
        Puzzle::new(hardware, demand, existing).is_ok_and(|puzzle| puzzle.solve().is_some())
    };
    let layout = counts(wanted);
    if fits(&[]) {
        let by = blockers(existing, fits);
        Infeasible::Blocked { layout, by }
    } else {
        let (compute, memory) = sums(hardware, demand);
        Infeasible::TooLarge {
            layout,
            compute,
            memory,
        }
    }
}

/// A set of unmovable instances without which there is a placement, and of which none can stay.
fn blockers(existing: &[Existing], fits: impl Fn(&[Existing]) -> bool) -> Vec<Obstacle> {
    let mut without: Vec<_> = existing.to_vec();
    for instance in &mut without {
        instance.occupancy = Occupancy::Free;
    }
    let mut by = Vec::new();
    for (index, instance) in existing.iter().enumerate() {
        let Occupancy::Unmovable(why) = &instance.occupancy else {
            continue;
        };
        without[index].occupancy = instance.occupancy.clone();
        if !fits(&without) {
            without[index].occupancy = Occupancy::Free;
            by.push(Obstacle {
                profile: instance.profile.clone(),
                start: instance.start,
                size: instance.size,
                why: why.clone(),
            });
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
