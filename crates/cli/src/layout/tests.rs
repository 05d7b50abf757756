//! Every answer about every product agrees with itself.

use std::collections::{BTreeMap, BTreeSet};

use plan::layout::Occupancy;
use products::Product;
use proptest::prelude::*;
use proptest::sample::Index;

use super::answer::{Action, Answer, Instance, Verb};
use super::{Held, Placed, Wish, state, wanted};
use crate::args::{Format, LayoutArgs};

/// Every place of every profile of a product.
fn places(product: &'static Product) -> Vec<Placed> {
    let profiles = product.mig.iter().flat_map(|mig| mig.profiles);
    let placed = |profile: &'static products::Profile| {
        profile.starts.iter().map(|start| Placed {
            profile: profile.name.to_owned(),
            start: start.cast_signed(),
        })
    };
    profiles.flat_map(placed).collect()
}

fn asked(product: &Product, current: Vec<Placed>) -> LayoutArgs {
    LayoutArgs {
        product: product.key.to_owned(),
        want: Vec::new(),
        current,
        held: Vec::new(),
        pinned: Vec::new(),
        output: Format::Json,
    }
}

/// A possible state of a product, with pods, and something that is wanted.
fn question() -> impl Strategy<Value = (&'static Product, LayoutArgs)> {
    let index = any::<Index>();
    let picks = proptest::collection::vec((any::<Index>(), 0..6_i32), 0..10);
    let wishes = proptest::collection::btree_map(0..11_usize, 1..4_i32, 1..4);
    (index, picks, wishes).prop_map(|(index, picks, wishes)| {
        let product = *index.get(products::ALL);
        let places = places(product);
        let mut args = asked(product, Vec::new());
        for (pick, pods) in picks.into_iter().filter(|_| !places.is_empty()) {
            let instance = pick.get(&places).clone();
            args.current.push(instance.clone());
            if state::existing(product, &args).is_err() {
                args.current.pop();
            } else if pods == 1 {
                args.pinned.push(instance);
            } else if pods > 1 {
                args.held.push(Held { instance, pods });
            }
        }
        let profiles = product.mig.as_ref().map_or(&[][..], |mig| mig.profiles);
        let wish = |(index, number): (usize, i32)| {
            let profile = profiles.get(index)?.name.to_owned();
            Some(Wish { profile, number })
        };
        args.want = wishes.into_iter().filter_map(wish).collect();
        (product, args)
    })
}

/// Where each instance stands, as `profile@start`.
fn spots<'a>(instances: impl IntoIterator<Item = &'a Instance>) -> BTreeSet<String> {
    let spot = |it: &Instance| format!("{}@{}", it.profile, it.start);
    instances.into_iter().map(spot).collect()
}

fn check(product: &'static Product, args: &LayoutArgs) -> Result<(), TestCaseError> {
    let wanted = wanted(&args.want).unwrap();
    let existing = state::existing(product, args).unwrap();
    let answer = Answer::find(product, &existing, &wanted);
    prop_assert_eq!(answer.reason.is_none(), answer.feasible);
    if !answer.feasible {
        for layout in &answer.alternatives {
            let instead = Answer::find(product, &existing, layout);
            prop_assert!(instead.feasible, "{:?}: {:?}", layout, instead.reason);
        }
        return Ok(());
    }
    let mut counts = BTreeMap::new();
    for instance in &answer.placements {
        *counts.entry(instance.profile.clone()).or_insert(0) += 1;
    }
    prop_assert_eq!(counts, wanted);
    let made = spots(answer.kept.iter().chain(&answer.created));
    prop_assert_eq!(&made, &spots(&answer.placements));
    prop_assert_eq!(
        answer.kept.len() + answer.created.len(),
        answer.placements.len()
    );
    let steps = answer.destroyed.len() + answer.created.len();
    prop_assert_eq!(answer.steps.len(), steps);
    let pods = |it: &Instance| {
        let mut held = args.held.iter();
        let here = held.find(|held| held.instance.start == it.start);
        here.map_or(0, |held| held.pods.unsigned_abs() as usize)
    };
    prop_assert_eq!(
        answer.evictions,
        answer.destroyed.iter().map(pods).sum::<usize>()
    );
    let mut gpu: BTreeSet<_> = args.current.iter().map(Placed::to_string).collect();
    let pinned: BTreeSet<_> = args.pinned.iter().map(Placed::to_string).collect();
    for Action { verb, instance } in &answer.steps {
        let spot = format!("{}@{}", instance.profile, instance.start);
        match verb {
            Verb::Destroy => prop_assert!(!pinned.contains(&spot) && gpu.remove(&spot)),
            Verb::Create => prop_assert!(gpu.insert(spot)),
        }
        let now = gpu.iter().map(|spot| spot.parse().unwrap()).collect();
        let possible = state::existing(product, &asked(product, now));
        prop_assert!(possible.is_ok(), "{:?}", possible);
    }
    prop_assert_eq!(gpu, &made | &pinned);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn the_steps_lead_from_what_is_there_to_what_is_wanted_through_states_that_can_be(
        (product, args) in question()
    ) {
        check(product, &args)?;
    }
}

#[test]
fn whatever_the_places_have_room_for_there_are_compute_slices_for() {
    for product in products::ALL {
        let Some(mig) = &product.mig else { continue };
        // The most compute slices of instances on the memory slices from each slice on, from the last one backwards.
        let mut most = vec![0; mig.memory_slices as usize + 1];
        for slice in (0..mig.memory_slices).rev() {
            let here = mig.profiles.iter().filter(|it| it.starts.contains(&slice));
            let with = here.map(|it| it.compute_slices + most[(slice + it.memory_slices) as usize]);
            let without = most[slice as usize + 1];
            most[slice as usize] = with.fold(without, u32::max);
        }
        assert_eq!(most[0], mig.compute_slices, "{}", product.key);
    }
}

#[test]
fn pods_are_counted_one_by_one() {
    let product = products::find("A30").unwrap();
    let mut args = asked(
        product,
        vec!["1g.6gb@0".parse().unwrap(), "1g.6gb@1".parse().unwrap()],
    );
    args.held = vec!["1g.6gb@0=3".parse().unwrap(), "1g.6gb@1".parse().unwrap()];
    let existing = state::existing(product, &args).unwrap();
    let pods: Vec<_> = existing
        .iter()
        .map(|it| match &it.occupancy {
            Occupancy::Pods(pods) => pods.len(),
            Occupancy::Free | Occupancy::Unmovable(_) => 0,
        })
        .collect();
    assert_eq!(pods, [3, 1]);
}
