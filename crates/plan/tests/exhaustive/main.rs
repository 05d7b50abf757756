//! The search against every state that a GPU can be in, and everything that can be asked of it.
//!
//! Products alike in shape are enumerated once. A state is a set of instances that can stand together, and of each whether
//! it must stay, is free, or has a pod on it; what is asked for is every number of instances of each profile. Run in
//! full by `make exhaustive`.

mod hardware;
mod state;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Arguments;
use std::io::Write;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use hardware::{Hardware, Set};
use plan::layout::{Infeasible, alternatives, search};
use state::{State, parts};

/// For whoever runs this to know how much was covered.
fn record(line: Arguments<'_>) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// One product of each shape, with the names of all that are like it.
fn shapes() -> Vec<(Vec<&'static str>, Hardware)> {
    let mut shapes: Vec<(Vec<&'static str>, Hardware)> = Vec::new();
    for product in products::ALL {
        let Some(mig) = &product.mig else { continue };
        let hardware = Hardware::new(mig);
        match shapes
            .iter_mut()
            .find(|(_, it)| it.shape() == hardware.shape())
        {
            Some((names, _)) => names.push(product.key),
            None => shapes.push((vec![product.key], hardware)),
        }
    }
    shapes
}

/// States with these instances that must stay, and everything else as it can be.
fn around(hardware: &Hardware, fixed: Set, mut each: impl FnMut(State)) {
    for &there in hardware
        .legal
        .keys()
        .filter(|there| *there & fixed == fixed)
    {
        let movable = there & !fixed;
        for held in parts(movable) {
            let whole = State {
                fixed,
                movable,
                held,
                half: 0,
            };
            each(whole);
            for bit in (0..Set::BITS).filter(|bit| there & 1 << bit != 0) {
                each(State {
                    half: 1 << bit,
                    ..whole
                });
            }
        }
    }
}

/// Checks states against everything that an empty GPU has room for: every `whole`th of those whose instances are all
/// whole, and every `half`th of those in which one is not.
fn walk(hardware: &Hardware, whole: u64, half: u64) -> (u64, u64) {
    let mut every: Vec<_> = hardware.legal.keys().copied().collect();
    every.sort_unstable();
    let (next, states, searches) = (AtomicUsize::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let work = || {
        while let Some(&fixed) = every.get(next.fetch_add(1, Ordering::Relaxed)) {
            let alone = State {
                fixed,
                ..State::default()
            };
            let candidates = alone.candidates(hardware);
            let wanted: Vec<_> = candidates.iter().map(|(n, _)| hardware.wanted(n)).collect();
            around(hardware, fixed, |state| {
                let hash = [state.movable, state.held, state.half, fixed];
                let hash = hash.iter().fold(0_u64, |hash, &part| {
                    (hash ^ u64::from(part))
                        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
                        .rotate_left(29)
                });
                let stride = if state.half == 0 { whole } else { half };
                if !hash.is_multiple_of(stride) {
                    return;
                }
                let existing = state.existing(hardware);
                let own;
                let candidates = if state.half & fixed == 0 {
                    &candidates
                } else {
                    own = state.candidates(hardware);
                    &own
                };
                for ((_, layouts), wanted) in candidates.iter().zip(&wanted) {
                    state.check(hardware, &existing, wanted, layouts);
                }
                states.fetch_add(1, Ordering::Relaxed);
                searches.fetch_add(candidates.len() as u64, Ordering::Relaxed);
            });
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(work);
        }
    });
    (states.into_inner(), searches.into_inner())
}

#[test]
fn every_product_has_one_of_three_shapes_whose_layouts_have_been_counted() {
    let counts: Vec<_> = shapes()
        .into_iter()
        .map(|(names, it)| (names[0], it.legal.len(), it.layouts.len()))
        .collect();
    record(format_args!("{counts:?}"));
    let legal: Vec<_> = counts
        .iter()
        .map(|&(name, legal, _)| (name, legal))
        .collect();
    // The simulated driver's tests count the same, by making them all.
    assert_eq!(
        legal,
        [
            ("A30", 76),
            ("A100-SXM4-40GB", 2_319),
            ("RTX-PRO-6000", 717)
        ]
    );
}

#[test]
fn the_search_is_right_beside_instances_of_every_kind() {
    for (names, hardware) in shapes() {
        let stride = if hardware.legal.len() < 100 { 1 } else { 997 };
        let (states, searches) = walk(&hardware, stride, stride);
        record(format_args!(
            "{names:?}: {states} states, {searches} searches"
        ));
        assert!(states > 100);
    }
}

#[test]
#[ignore = "takes minutes with optimization"]
fn the_search_is_right_in_every_state() {
    for (names, hardware) in shapes() {
        let (states, searches) = walk(&hardware, 1, 29);
        record(format_args!(
            "{names:?}: {states} states, {searches} searches"
        ));
    }
}

#[test]
#[ignore = "asks for millions of layouts"]
fn an_empty_gpu_refuses_exactly_what_cannot_stand_on_it() {
    for (names, hardware) in shapes() {
        let mut numbers = vec![0; hardware.profiles.len()];
        let (mut asked, mut refused) = (0_u64, 0_u64);
        loop {
            asked += 1;
            let too_many = hardware.profiles.iter().zip(&numbers);
            let too_many = too_many
                .clone()
                .any(|(p, &n)| n > p.max_instances.cast_signed());
            let found = search(&hardware.offers, &[], &hardware.wanted(&numbers));
            let fits = hardware.layouts.contains_key(&numbers);
            match found {
                Ok(_) => assert!(fits, "{numbers:?}"),
                Err(Infeasible::TooMany { .. }) => assert!(too_many && !fits, "{numbers:?}"),
                Err(Infeasible::TooLarge { places, .. }) => {
                    assert!(!too_many && !fits && !places.is_empty(), "{numbers:?}");
                }
                Err(Infeasible::MediaEngines {
                    profiles, places, ..
                }) => {
                    let is_explained = !profiles.is_empty() && !places.is_empty();
                    assert!(!too_many && !fits && is_explained, "{numbers:?}");
                }
                Err(other) => panic!("{other}"),
            }
            refused += u64::from(!fits);
            let full = |(n, p): (&i32, &&products::Profile)| *n > p.max_instances.cast_signed();
            let each = numbers.iter().zip(&hardware.profiles);
            let Some(more) = each.clone().position(|it| !full(it)) else {
                break;
            };
            numbers[..more].fill(0);
            numbers[more] += 1;
        }
        record(format_args!("{names:?}: {asked} asked, {refused} refused"));
    }
}

/// What must stay decides alone whether there is a placement: here are all of its sets, and everything just beyond what
/// an empty GPU holds.
#[test]
#[ignore = "takes minutes"]
fn every_refusal_names_places_and_layouts_that_can_be_had() {
    for (names, hardware) in shapes() {
        let mut beyond = BTreeSet::new();
        for numbers in hardware.layouts.keys() {
            for rank in 0..numbers.len() {
                let mut more = numbers.clone();
                more[rank] += 1;
                if more[rank] <= hardware.profiles[rank].max_instances.cast_signed()
                    && !hardware.layouts.contains_key(&more)
                {
                    beyond.insert(more);
                }
            }
        }
        let mut refusals = 0_u64;
        for &fixed in hardware.legal.keys() {
            let state = State {
                fixed,
                ..State::default()
            };
            let existing = state.existing(&hardware);
            let candidates: BTreeMap<_, _> = state.candidates(&hardware).into_iter().collect();
            let beyond = beyond.iter().map(Vec::as_slice);
            let fails = |numbers: &[i32]| candidates.get(numbers).is_none_or(Vec::is_empty);
            for numbers in beyond
                .chain(candidates.keys().copied())
                .filter(|n| fails(n))
            {
                let wanted = hardware.wanted(numbers);
                let refusal = search(&hardware.offers, &existing, &wanted).unwrap_err();
                let mut turned = existing.clone();
                turned.reverse();
                let again = search(&hardware.offers, &turned, &wanted).unwrap_err();
                assert_eq!(again, refusal, "the order of instances does not matter");
                let (Infeasible::Blocked { places, .. }
                | Infeasible::TooLarge { places, .. }
                | Infeasible::MediaEngines { places, .. }) = &refusal
                else {
                    panic!("{refusal}")
                };
                assert!(!places.is_empty(), "{wanted:?} in {state:?}: {refusal}");
                for place in places {
                    assert!(wanted.contains_key(&place.profile), "{place:?}");
                }
                for instead in alternatives(&hardware.offers, &existing, &wanted) {
                    let of = |p: &&products::Profile| instead.get(p.name).copied().unwrap_or(0);
                    let instead: Vec<_> = hardware.profiles.iter().map(of).collect();
                    let is_possible = !fails(&instead) && instead.iter().any(|n| *n > 0);
                    assert!(is_possible, "{instead:?} for {wanted:?} in {state:?}");
                }
                refusals += 1;
            }
        }
        record(format_args!("{names:?}: {refusals} refusals"));
    }
}
