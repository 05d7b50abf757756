//! What is offered instead of a layout that cannot be had.

use super::hardware::offers;
use super::{Numbers, unmovable, wanted};
use crate::layout::{Existing, alternatives, counts, search};

fn instead(product: &str, existing: &[Existing], numbers: Numbers) -> Vec<String> {
    let found = alternatives(&offers(product), existing, &wanted(numbers));
    found.iter().map(counts).collect()
}

#[test]
fn the_nearest_layouts_differ_by_the_fewest_slices() {
    let cases: [(&str, Numbers, &[&str]); 5] = [
        (
            "A100-SXM4-40GB",
            &[("3g.20gb", 2), ("1g.5gb", 1)],
            &[
                "2x3g.20gb",
                "3g.20gb+2g.10gb+1g.5gb",
                "3g.20gb+2g.10gb+1g.5gb+me",
            ],
        ),
        (
            "A100-SXM4-40GB",
            &[("1g.5gb", 8)],
            &["7x1g.5gb", "6x1g.5gb+1g.5gb+me", "1g.10gb+6x1g.5gb"],
        ),
        // The name of another product's slice.
        (
            "A100-SXM4-40GB",
            &[("3g.40gb", 1)],
            &["3g.20gb", "4g.20gb", "2g.10gb"],
        ),
        (
            "A30",
            &[("4g.24gb", 1), ("1g.6gb", 1)],
            &["4g.24gb", "2g.12gb+1g.6gb", "2g.12gb+me+1g.6gb"],
        ),
        (
            "RTX-PRO-6000",
            &[("1g.24gb+me.all", 1), ("1g.24gb", 1)],
            &["2x1g.24gb", "1g.24gb+1g.24gb+gfx", "1g.24gb+1g.24gb+me"],
        ),
    ];
    for (product, numbers, expected) in cases {
        assert_eq!(instead(product, &[], numbers), expected, "{numbers:?}");
    }
}

#[test]
fn what_must_stay_is_built_around_and_counts_where_it_is_wanted() {
    let existing = [unmovable("1g.5gb", 5, 1)];
    let found = instead(
        "A100-SXM4-40GB",
        &existing,
        &[("3g.20gb", 2), ("1g.5gb", 1)],
    );
    // No 2g fits beside the one at 5, and it is the 1g that is wanted.
    assert_eq!(found[0], "3g.20gb+1g.10gb+1g.5gb", "{found:?}");
    let two = instead("A100-SXM4-40GB", &existing, &[("3g.20gb", 2)]);
    assert_eq!(two[0], "3g.20gb+1g.10gb", "{two:?}");
}

#[test]
fn absurd_wishes_are_answered_as_fast_as_others() {
    let numbers: Vec<_> = offers("RTX-PRO-6000")
        .into_iter()
        .map(|offer| (offer.name, i32::MAX))
        .collect();
    let wanted = numbers.into_iter().collect();
    let found = alternatives(&offers("RTX-PRO-6000"), &[], &wanted);
    assert_eq!(found.len(), 3);
    for numbers in &found {
        assert!(search(&offers("RTX-PRO-6000"), &[], numbers).is_ok());
    }
}

#[test]
fn nothing_is_instead_of_anything_where_nothing_is_offered() {
    assert!(alternatives(&[], &[], &wanted(&[("1g.5gb", 1)])).is_empty());
}
