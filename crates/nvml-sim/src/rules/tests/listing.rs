//! What the driver says of its profiles.

use super::*;
use crate::rules::{profile_by_index, said_count};
use crate::state::{Gpu, Quirks};

/// Numbers at which a profile is listed, until the end of the list.
fn listed(gpu: &Gpu, quirks: &Quirks) -> Vec<u32> {
    let mut found = Vec::new();
    for number in 0.. {
        match profile_by_index(gpu, quirks, number) {
            Ok(_) => found.push(number),
            Err(Code::InvalidArgument) => break,
            Err(_) => {}
        }
    }
    found
}

#[test]
fn a_driver_that_hides_profiles_shows_them_while_mig_is_on() {
    let quirks = Quirks {
        hides_profiles: true,
        ..Quirks::default()
    };
    let plain = Quirks::default();
    let all = [0, 1, 2, 3, 4, 7, 9];
    assert_eq!(listed(&node(A100).gpus[0], &plain), all);
    assert!(listed(&node(A100).gpus[0], &quirks).is_empty());
    assert_eq!(listed(&mig_node(A100).gpus[0], &quirks), all);
}

#[test]
fn a_driver_may_number_profiles_as_no_header_does() {
    let renumbered = [(7, 20), (4, 5)].into();
    let failing = [(6, 999), (18, 3)].into();
    let quirks = Quirks {
        renumbered,
        failing,
        ..Quirks::default()
    };
    let state = mig_node(A100);
    let gpu = &state.gpus[0];
    assert_eq!(listed(gpu, &quirks), [0, 1, 2, 3, 5, 9, 20]);
    let answer = |number| profile_by_index(gpu, &quirks, number).map(|profile| profile.name);
    assert_eq!(answer(20), Ok("1g.5gb+me"));
    assert_eq!(answer(6), Err(Code::Unknown));
    assert_eq!(answer(21), Err(Code::InvalidArgument));
}

#[test]
fn an_a30_says_more_than_it_keeps() {
    let said = |product: &str| -> Vec<(u32, u32)> {
        let state = node(product);
        let gpu = &state.gpus[0];
        let counts = |profile| (said_count(gpu, profile), profile.max_instances);
        mig(&state).profiles.iter().map(counts).collect()
    };
    assert_eq!(said("A30"), [(4, 4), (2, 2), (1, 1), (4, 1), (2, 1)]);
    let others = products::ALL.iter().filter(|product| product.key != "A30");
    for product in others.filter(|product| product.mig.is_some()) {
        let counts = said(product.key);
        assert!(
            counts.iter().all(|(said, kept)| said == kept),
            "{}",
            product.key
        );
    }
}
