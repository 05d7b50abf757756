//! The search against the oracle, and what is true of every answer.

use std::collections::BTreeSet;

use crds::gpu_node::PlacedProfile;
use proptest::prelude::*;

use super::cases::{Case, case};
use super::oracle::Oracle;
use crate::layout::{Existing, Infeasible, Layout, Occupancy, search, search_sparing};

/// The state after a layout has been made: what it lists, whole and free, and what could not be moved.
fn after(case: &Case, layout: &Layout) -> Vec<Existing> {
    let size = |profile: &str| {
        let mut offers = case.offers.iter();
        offers
            .find(|offer| offer.name == profile)
            .unwrap()
            .placements[0]
            .size
    };
    let mut after: Vec<_> = layout
        .instances
        .iter()
        .map(|i| super::free(&i.profile, i.start, size(&i.profile)))
        .collect();
    for instance in &case.existing {
        let stays = matches!(instance.occupancy, Occupancy::Unmovable(_));
        match after
            .iter_mut()
            .find(|a| a.start == instance.start && stays)
        {
            Some(same) => same.occupancy = instance.occupancy.clone(),
            None if stays => after.push(instance.clone()),
            None => {}
        }
    }
    after
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_search_finds_what_the_oracle_finds(case in case(), spares in any::<bool>()) {
        let spared = if spares { super::set(&["a", "c"]) } else { BTreeSet::new() };
        let oracle = Oracle::new(&case.offers, &case.engines, &case.existing, &case.wanted);
        let oracle = oracle.sparing(&spared);
        let found = search_sparing(&case.offers, &case.existing, &case.wanted, &spared);
        let worth = found.as_ref().ok().map(|layout| oracle.judge(layout).expect("the layout keeps the rules"));
        prop_assert_eq!(worth, oracle.best(), "{:?}", found);
    }

    #[test]
    fn a_layout_says_truly_what_becomes_of_everything(case in case()) {
        let Ok(layout) = search(&case.offers, &case.existing, &case.wanted) else { return Ok(()) };
        let (mut kept, mut destroyed, mut evicted) = (Vec::new(), Vec::new(), BTreeSet::new());
        let at = |it: &Existing| PlacedProfile { start: it.start, profile: it.profile.clone() };
        for instance in &case.existing {
            let mut instances = layout.instances.iter();
            let same = instances.any(|i| i.start == instance.start && i.profile == instance.profile);
            match &instance.occupancy {
                Occupancy::Unmovable(_) | Occupancy::Free | Occupancy::Pods(_) if same && instance.whole => kept.push(at(instance)),
                Occupancy::Unmovable(_) => {}
                Occupancy::Free => destroyed.push(at(instance)),
                Occupancy::Pods(pods) => {
                    destroyed.push(at(instance));
                    evicted.extend(pods.iter().cloned());
                }
            }
        }
        let mut instances = [layout.kept.clone(), layout.created.clone()].concat();
        instances.sort();
        prop_assert_eq!(&layout.instances, &instances);
        prop_assert_eq!((layout.kept, layout.destroyed, layout.evicted), (kept, destroyed, evicted));
        prop_assert!(layout.instances.is_sorted_by_key(|i| i.start));
    }

    #[test]
    fn a_layout_that_is_made_stays(case in case()) {
        let Ok(layout) = search(&case.offers, &case.existing, &case.wanted) else { return Ok(()) };
        let again = search(&case.offers, &after(&case, &layout), &case.wanted).expect("what is there is possible");
        prop_assert_eq!(&again.instances, &layout.instances);
        prop_assert_eq!(super::numbers(&again), [layout.instances.len(), 0, 0]);
    }

    #[test]
    fn the_order_of_what_is_read_does_not_matter(case in case()) {
        let mut turned = case.clone();
        turned.offers.reverse();
        turned.existing.reverse();
        prop_assert_eq!(
            search(&case.offers, &case.existing, &case.wanted),
            search(&turned.offers, &turned.existing, &turned.wanted)
        );
    }

    #[test]
    fn those_named_in_the_way_are_enough_and_none_too_many(case in case()) {
        let Err(Infeasible::Blocked { by, .. }) = search(&case.offers, &case.existing, &case.wanted) else {
            return Ok(());
        };
        let possible_but_for = |kept: Option<i32>| {
            let mut existing = case.existing.clone();
            for instance in &mut existing {
                let named = by.iter().any(|b| b.start == instance.start);
                if named && kept != Some(instance.start) {
                    instance.occupancy = Occupancy::Free;
                }
            }
            Oracle::new(&case.offers, &case.engines, &existing, &case.wanted).best().is_some()
        };
        prop_assert!(possible_but_for(None));
        for obstacle in &by {
            prop_assert!(!possible_but_for(Some(obstacle.start)), "{} need not go", obstacle);
        }
    }
}
