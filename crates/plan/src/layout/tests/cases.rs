//! Random cases: real and made-up hardware with random instances, occupants and wishes.

use std::collections::BTreeMap;

use crds::gpu_node::{Placement, ProfileOffer};
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use super::PRODUCTS;
use super::hardware::{Engines, offers};
use crate::layout::{Existing, Occupancy};

#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) offers: Vec<ProfileOffer>,
    pub(super) engines: Engines,
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
fn fill(offers: &[ProfileOffer], engines: &Engines, picks: Vec<Pick>) -> Vec<Existing> {
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
        let names = existing.iter().map(|e| e.profile.as_str());
        let engines = engines.suffice(names.chain([offer.name.as_str()]));
        if room && engines && existing.iter().all(apart) {
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

fn wanted(
    offers: &[ProfileOffer],
    engines: &Engines,
    existing: &[Existing],
    wish: Wish,
) -> BTreeMap<String, i32> {
    let any = |few: Vec<(Index, i32)>| {
        let named = |(offer, number): (Index, i32)| (offer.get(offers).name.clone(), number);
        few.into_iter().map(named).collect::<Vec<_>>()
    };
    let one = |instance: &Existing| (instance.profile.clone(), 1);
    let numbers = match wish {
        Wish::Any(few) => any(few),
        Wish::Other(picks) => fill(offers, engines, picks).iter().map(one).collect(),
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
    let real = select(&PRODUCTS[..]).prop_map(|product| (offers(product), Engines::of(product)));
    let strange = strange_hardware().prop_map(|offers| (offers, Engines::default()));
    let hardware = prop_oneof![real, strange];
    (hardware, any::<bool>(), picks(), wish()).prop_map(
        |((offers, engines), small, picks, wish)| {
            let few = |offer: &&ProfileOffer| !small || offer.placements[0].size <= 2;
            let there: Vec<_> = offers.iter().filter(few).cloned().collect();
            let existing = fill(
                if there.is_empty() { &offers } else { &there },
                &engines,
                picks,
            );
            Case {
                wanted: wanted(&offers, &engines, &existing, wish),
                existing,
                engines,
                offers,
            }
        },
    )
}
