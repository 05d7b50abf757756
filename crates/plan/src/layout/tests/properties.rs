//! The search against the oracle, on real and made-up hardware with random instances, occupants and wishes.

use std::collections::{BTreeMap, BTreeSet};

use crds::gpu_node::{Placement, ProfileOffer};
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use super::PRODUCTS;
use super::hardware::offers;
use super::oracle::Oracle;
use crate::layout::{Existing, Infeasible, Occupancy, search};

#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) offers: Vec<ProfileOffer>,
    pub(super) existing: Vec<Existing>,
    pub(super) wanted: BTreeMap<String, i32>,
}

/// Profiles that no product has, with places as bad as they come.
fn strange_hardware() -> impl Strategy<Value = Vec<ProfileOffer>> {
    prop::collection::vec(strange_profile(), 1..5).prop_map(|mut profiles| {
        for (id, profile) in (1..).zip(&mut profiles) {
            profile.name = format!("{}g.{id}gb", profile.slices);
        }
        profiles
    })
}

fn strange_profile() -> impl Strategy<Value = ProfileOffer> {
    let numbers = (1..=4, 1..=4, 1..=4).prop_flat_map(|(slices, size, max)| {
        let starts: Vec<i32> = (0..=8 - size).collect();
        let some = 1..=starts.len();
        (
            Just(slices),
            Just(size),
            Just(max),
            subsequence(starts, some),
        )
    });
    numbers.prop_map(|(slices, size, max, starts)| ProfileOffer {
        name: String::new(),
        id: 0,
        slices,
        max,
        memory_mib: i64::from(size) * 1024,
        placements: starts
            .into_iter()
            .map(|start| Placement { start, size })
            .collect(),
    })
}

fn occupancy() -> impl Strategy<Value = Occupancy> {
    let pods = subsequence(vec!["a", "b", "c", "d"], 1..=2);
    let pods = pods.prop_map(|pods| pods.into_iter().map(str::to_owned).collect());
    prop_oneof![
        Just(Occupancy::Free),
        pods.prop_map(Occupancy::Pods),
        Just(Occupancy::Unmovable("for a test".to_owned())),
    ]
}

type Pick = (Index, Index, Occupancy, bool);

/// Puts instances one by one where the hardware still has room.
fn fill(offers: &[ProfileOffer], picks: Vec<Pick>) -> Vec<Existing> {
    let total: i32 = offers.iter().map(|offer| offer.slices).max().unwrap();
    let mut compute = 0;
    let mut existing: Vec<Existing> = Vec::new();
    for (offer, place, occupancy, whole) in picks {
        let offer = offer.get(offers);
        let place = place.get(&offer.placements);
        let apart =
            |e: &Existing| e.start + e.size <= place.start || place.start + place.size <= e.start;
        let alike = existing.iter().filter(|e| e.profile == offer.name).count();
        let room = alike < usize::try_from(offer.max).unwrap() && compute + offer.slices <= total;
        if room && existing.iter().all(apart) {
            compute += offer.slices;
            existing.push(Existing {
                profile: offer.name.clone(),
                start: place.start,
                size: place.size,
                whole,
                occupancy,
            });
        }
    }
    existing.sort_by_key(|e| e.start);
    existing
}

fn picks() -> impl Strategy<Value = Vec<Pick>> {
    let whole = prop::bool::weighted(0.9);
    let pick = (any::<Index>(), any::<Index>(), occupancy(), whole);
    prop::collection::vec(pick, 0..20)
}

/// Which numbers are wanted.
#[derive(Clone, Debug)]
enum Wish {
    /// Any: often impossible.
    Any(Vec<(Index, i32)>),
    /// Those of some other state: possible on an empty GPU.
    Other(Vec<Pick>),
    /// Some of those that are there, and more.
    Some(Vec<bool>, Vec<(Index, i32)>),
}

fn wish() -> impl Strategy<Value = Wish> {
    let few = || prop::collection::vec((any::<Index>(), 1..=3_i32), 0..3);
    let some = (prop::collection::vec(any::<bool>(), 8), few());
    prop_oneof![
        1 => few().prop_map(Wish::Any),
        1 => picks().prop_map(Wish::Other),
        3 => some.prop_map(|(some, few)| Wish::Some(some, few)),
    ]
}

fn wanted(offers: &[ProfileOffer], existing: &[Existing], wish: Wish) -> BTreeMap<String, i32> {
    let any = |few: Vec<(Index, i32)>| {
        let named = |(offer, number): (Index, i32)| (offer.get(offers).name.clone(), number);
        few.into_iter().map(named).collect::<Vec<_>>()
    };
    let one = |instance: &Existing| (instance.profile.clone(), 1);
    let numbers = match wish {
        Wish::Any(few) => any(few),
        Wish::Other(picks) => fill(offers, picks).iter().map(one).collect(),
        Wish::Some(some, few) => {
            let there = existing.iter().zip(some).filter(|&(_, some)| some);
            there
                .map(|(instance, _)| one(instance))
                .chain(any(few))
                .collect()
        }
    };
    let mut wanted = BTreeMap::new();
    for (profile, number) in numbers {
        *wanted.entry(profile).or_insert(0) += number;
    }
    for offer in offers {
        wanted
            .entry(offer.name.clone())
            .and_modify(|number| *number = offer.max.min(*number));
    }
    wanted
}

pub(super) fn case() -> impl Strategy<Value = Case> {
    let hardware = prop_oneof![select(&PRODUCTS[..]).prop_map(offers), strange_hardware()];
    (hardware, any::<bool>(), picks(), wish()).prop_map(|(offers, small, picks, wish)| {
        let few = |offer: &&ProfileOffer| !small || offer.placements[0].size <= 2;
        let there: Vec<_> = offers.iter().filter(few).cloned().collect();
        let existing = fill(if there.is_empty() { &offers } else { &there }, picks);
        Case {
            wanted: wanted(&offers, &existing, wish),
            existing,
            offers,
        }
    })
}

/// The state after a layout has been made: what it lists, whole and free, and what could not be moved.
fn after(case: &Case, layout: &crate::layout::Layout) -> Vec<Existing> {
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
    fn the_search_finds_what_the_oracle_finds(case in case()) {
        let oracle = Oracle::new(&case.offers, &case.existing, &case.wanted);
        let found = search(&case.offers, &case.existing, &case.wanted);
        let worth = found.as_ref().ok().map(|layout| oracle.judge(layout).expect("the layout keeps the rules"));
        prop_assert_eq!(worth, oracle.best(), "{:?}", found);
    }

    #[test]
    fn a_layout_says_truly_what_becomes_of_everything(case in case()) {
        let Ok(layout) = search(&case.offers, &case.existing, &case.wanted) else { return Ok(()) };
        let (mut kept, mut destroyed, mut evicted) = (0, 0, BTreeSet::new());
        for instance in &case.existing {
            let mut instances = layout.instances.iter();
            let same = instances.any(|i| i.start == instance.start && i.profile == instance.profile);
            match &instance.occupancy {
                Occupancy::Unmovable(_) | Occupancy::Free | Occupancy::Pods(_) if same && instance.whole => kept += 1,
                Occupancy::Unmovable(_) => {}
                Occupancy::Free => destroyed += 1,
                Occupancy::Pods(pods) => {
                    destroyed += 1;
                    evicted.extend(pods.iter().cloned());
                }
            }
        }
        prop_assert_eq!(layout.instances.len(), layout.kept + layout.created);
        prop_assert_eq!((layout.kept, layout.destroyed, layout.evicted), (kept, destroyed, evicted));
        prop_assert!(layout.instances.is_sorted_by_key(|i| i.start));
    }

    #[test]
    fn a_layout_that_is_made_stays(case in case()) {
        let Ok(layout) = search(&case.offers, &case.existing, &case.wanted) else { return Ok(()) };
        let again = search(&case.offers, &after(&case, &layout), &case.wanted).expect("what is there is possible");
        prop_assert_eq!(&again.instances, &layout.instances);
        prop_assert_eq!((again.kept, again.destroyed, again.created), (layout.instances.len(), 0, 0));
    }

    #[test]
    fn the_order_of_what_is_read_does_not_matter(case in case()) {
        let mut turned = case.clone();
        turned.offers.reverse();
        turned.existing.reverse();
        prop_assert_eq!(
            search(&case.offers, &case.existing, &case.wanted).ok(),
            search(&turned.offers, &turned.existing, &turned.wanted).ok()
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
            Oracle::new(&case.offers, &existing, &case.wanted).best().is_some()
        };
        prop_assert!(possible_but_for(None));
        for obstacle in &by {
            prop_assert!(!possible_but_for(Some(obstacle.start)), "{} need not go", obstacle);
        }
    }
}
