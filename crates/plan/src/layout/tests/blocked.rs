//! What stands in the way, said so that a person can act on it.

use crds::gpu_node::{Placement, ProfileOffer};

use super::hardware::offers;
use super::{Numbers, free, held, places, unmovable, wanted};
use crate::layout::{Existing, Infeasible, search};

fn refusal(existing: &[Existing], numbers: &[(&str, i32)]) -> Infeasible {
    search(&offers("A100-SXM4-40GB"), existing, &wanted(numbers)).unwrap_err()
}

#[test]
fn a_profile_that_the_hardware_lacks_is_named_with_those_that_it_has() {
    assert_eq!(
        refusal(&[], &[("3g.40gb", 1)]).to_string(),
        "this GPU has no profile 3g.40gb; it offers 7g.40gb, 4g.20gb, 3g.20gb, 2g.10gb, 1g.10gb, 1g.5gb, 1g.5gb+me"
    );
    assert_eq!(
        search(&[], &[], &wanted(&[("1g.5gb", 1)])),
        Err(Infeasible::NothingOffered)
    );
}

#[test]
fn a_layout_larger_than_the_gpu_is_added_up() {
    let cases: [(Numbers, &str); 3] = [
        (
            &[("3g.20gb", 2), ("1g.5gb", 1)],
            "2x3g.20gb+1g.5gb does not fit on this GPU, not even on an empty one: it takes 7 of 7 compute slices and 9 of 8 memory slices",
        ),
        (
            &[("4g.20gb", 1), ("2g.10gb", 2)],
            "4g.20gb+2x2g.10gb does not fit on this GPU, not even on an empty one: it takes 8 of 7 compute slices and 8 of 8 memory slices",
        ),
        (
            &[("1g.5gb", 8)],
            "8 slices of 1g.5gb are wanted, and this GPU has room for 7",
        ),
    ];
    for (numbers, message) in cases {
        assert_eq!(refusal(&[], numbers).to_string(), message);
    }
}

#[test]
fn places_that_overlap_are_told_from_slices_that_are_missing() {
    let only_at_0 = |name: &str| ProfileOffer {
        name: name.to_owned(),
        id: 0,
        slices: 2,
        max: 1,
        memory_mib: 1,
        placements: vec![Placement { start: 0, size: 2 }],
    };
    let whole = ProfileOffer {
        slices: 4,
        placements: vec![Placement { start: 0, size: 4 }],
        ..only_at_0("4g.4gb")
    };
    let offers = [only_at_0("2g.1gb"), only_at_0("2g.2gb"), whole];
    let refusal = search(&offers, &[], &wanted(&[("2g.1gb", 1), ("2g.2gb", 1)])).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "2g.2gb+2g.1gb does not fit on this GPU, not even on an empty one: the places that the driver allows for these profiles overlap"
    );
}

#[test]
fn only_those_that_must_go_are_named() {
    let existing = [
        unmovable("1g.5gb", 0, 1),
        held("2g.10gb", 2, 2, &["default/moves"]),
        unmovable("1g.5gb", 5, 1),
    ];
    let refusal = refusal(&existing, &[("3g.20gb", 2)]);
    assert_eq!(
        refusal.to_string(),
        "2x3g.20gb cannot be placed beside 1g.5gb at slice 0 (for a test) and 1g.5gb at slice 5 (for a test)"
    );
}

#[test]
fn an_unmovable_instance_counts_as_wanted_or_is_built_around() {
    let offers = offers("A100-SXM4-40GB");
    let existing = [unmovable("1g.5gb", 6, 1), free("1g.5gb", 0, 1)];
    let cases: [(Numbers, &[&str], [usize; 3]); 4] = [
        (&[("1g.5gb", 2)], &["1g.5gb@0", "1g.5gb@6"], [2, 0, 0]),
        (&[("1g.5gb", 1)], &["1g.5gb@0"], [1, 0, 0]),
        (&[("3g.20gb", 1)], &["3g.20gb@0"], [0, 1, 1]),
        (
            &[("4g.20gb", 1), ("1g.5gb", 1)],
            &["4g.20gb@0", "1g.5gb@6"],
            [1, 1, 1],
        ),
    ];
    for (numbers, expected, counts) in cases {
        let layout = search(&offers, &existing, &wanted(numbers)).unwrap();
        assert_eq!(places(&layout), expected);
        assert_eq!(super::numbers(&layout), counts, "{numbers:?}");
    }
}

#[test]
fn what_stays_takes_compute_slices_and_numbers_too() {
    let half = Existing {
        whole: false,
        ..unmovable("1g.5gb+me", 6, 1)
    };
    let cases: [(Existing, Numbers); 3] = [
        (unmovable("1g.5gb+me", 6, 1), &[("1g.5gb", 7)]),
        (half, &[("1g.5gb+me", 1)]),
        // Not on offer: its compute slices are read from its name.
        (unmovable("4g.99gb", 7, 1), &[("4g.20gb", 1)]),
    ];
    for (existing, numbers) in cases {
        let refusal = refusal(&[existing], numbers);
        assert!(matches!(refusal, Infeasible::Blocked { .. }), "{refusal}");
    }
}

#[test]
fn an_account_that_contradicts_itself_is_refused() {
    let cases = [
        vec![free("1g.5gb", 0, 1), free("2g.10gb", 0, 2)],
        vec![free("1g.5gb", -1, 1)],
        vec![free("1g.5gb", 3, 0)],
        vec![free("1g.5gb", i32::MAX, i32::MAX)],
    ];
    for existing in cases {
        let refusal = refusal(&existing, &[("1g.5gb", 1)]);
        assert!(
            matches!(refusal, Infeasible::Implausible { .. }),
            "{refusal}"
        );
    }
    let mut offers = offers("A30");
    offers[0].placements[0].size = 99;
    let refusal = search(&offers, &[], &wanted(&[])).unwrap_err();
    assert!(
        matches!(refusal, Infeasible::Implausible { .. }),
        "{refusal}"
    );
}
