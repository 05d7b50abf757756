//! Layouts that people know, and where they must stand.

use super::PRODUCTS;
use super::hardware::offers;
use super::{Numbers, free, held, places, set, unmovable, wanted};
use crate::layout::{Existing, Infeasible, search};

/// Seven slices, some of them held by a pod named after its slice.
fn seven(held_at: &[i32]) -> Vec<Existing> {
    let one = |start| {
        if held_at.contains(&start) {
            held("1g.5gb", start, 1, &[&format!("default/pod-{start}")])
        } else {
            free("1g.5gb", start, 1)
        }
    };
    (0..7).map(one).collect()
}

#[test]
fn every_profile_fits_as_often_as_the_driver_says_and_no_more() {
    for product in PRODUCTS {
        let offers = offers(product);
        for offer in &offers {
            let full = search(&offers, &[], &wanted(&[(&offer.name, offer.max)])).unwrap();
            assert_eq!(
                i32::try_from(full.instances.len()),
                Ok(offer.max),
                "{product}"
            );
            for instance in &full.instances {
                let mut places = offer.placements.iter();
                assert!(
                    places.any(|place| place.start == instance.start),
                    "{product}"
                );
            }
            let more = search(&offers, &[], &wanted(&[(&offer.name, offer.max + 1)]));
            let too_many = Infeasible::TooMany {
                profile: offer.name.clone(),
                wanted: offer.max + 1,
                max: offer.max,
            };
            assert_eq!(more, Err(too_many), "{product}");
        }
    }
}

#[test]
fn an_empty_gpu_is_filled_where_the_hardware_allows() {
    let cases: [(&str, Numbers, &[&str]); 8] = [
        (
            "A100-SXM4-40GB",
            &[("3g.20gb", 1), ("1g.5gb", 4)],
            &["1g.5gb@0", "1g.5gb@1", "1g.5gb@2", "1g.5gb@3", "3g.20gb@4"],
        ),
        (
            "A100-SXM4-40GB",
            &[("3g.20gb", 1), ("2g.10gb", 1), ("1g.5gb", 2)],
            &["2g.10gb@0", "1g.5gb@2", "1g.5gb@3", "3g.20gb@4"],
        ),
        (
            "A100-SXM4-40GB",
            &[("4g.20gb", 1), ("3g.20gb", 1)],
            &["4g.20gb@0", "3g.20gb@4"],
        ),
        (
            "A100-SXM4-40GB",
            &[("2g.10gb", 3), ("1g.10gb", 1)],
            &["2g.10gb@0", "2g.10gb@2", "2g.10gb@4", "1g.10gb@6"],
        ),
        (
            "A100-SXM4-40GB",
            &[("1g.5gb", 6), ("1g.5gb+me", 1)],
            &[
                "1g.5gb@0",
                "1g.5gb@1",
                "1g.5gb@2",
                "1g.5gb@3",
                "1g.5gb@4",
                "1g.5gb@5",
                "1g.5gb+me@6",
            ],
        ),
        (
            "H100-SXM5-80GB",
            &[("4g.40gb", 1), ("1g.20gb", 1), ("1g.10gb", 2)],
            &["4g.40gb@0", "1g.10gb@4", "1g.10gb@5", "1g.20gb@6"],
        ),
        (
            "A30",
            &[("2g.12gb", 1), ("1g.6gb", 2)],
            &["2g.12gb@0", "1g.6gb@2", "1g.6gb@3"],
        ),
        ("A30", &[("4g.24gb", 1)], &["4g.24gb@0"]),
    ];
    for (product, numbers, expected) in cases {
        let layout = search(&offers(product), &[], &wanted(numbers)).unwrap();
        assert_eq!(places(&layout), expected, "{product} {numbers:?}");
        assert_eq!(super::numbers(&layout), [0, 0, layout.instances.len()]);
    }
}

#[test]
fn a_lone_slice_stands_where_the_largest_ones_still_fit_beside_it() {
    for (product, profile, start) in [
        ("A100-SXM4-40GB", "1g.5gb", 6),
        ("A30", "1g.6gb", 0),
        ("H100-SXM5-80GB", "2g.20gb", 4),
    ] {
        let layout = search(&offers(product), &[], &wanted(&[(profile, 1)])).unwrap();
        assert_eq!(layout.instances[0].start, start, "{profile} on {product}");
    }
}

#[test]
fn running_instances_stay_where_the_layout_can_be_had_around_them() {
    let goal = wanted(&[("3g.20gb", 1), ("2g.10gb", 1), ("1g.5gb", 2)]);
    let cases: [(&[i32], &[&str], &[&str]); 4] = [
        (
            &[0, 1],
            &["1g.5gb@0", "1g.5gb@1", "2g.10gb@2", "3g.20gb@4"],
            &[],
        ),
        (
            &[2, 3],
            &["2g.10gb@0", "1g.5gb@2", "1g.5gb@3", "3g.20gb@4"],
            &[],
        ),
        // Only the 3g at slice 4 leaves places for all the others.
        (
            &[5, 6],
            &["2g.10gb@0", "1g.5gb@2", "1g.5gb@3", "3g.20gb@4"],
            &["default/pod-5", "default/pod-6"],
        ),
        (
            &[0, 2, 6],
            &["2g.10gb@0", "1g.5gb@2", "1g.5gb@3", "3g.20gb@4"],
            &["default/pod-0", "default/pod-6"],
        ),
    ];
    for (held_at, expected, evicted) in cases {
        let layout = search(&offers("A100-SXM4-40GB"), &seven(held_at), &goal).unwrap();
        assert_eq!(places(&layout), expected, "held: {held_at:?}");
        assert_eq!(layout.evicted, set(evicted), "held: {held_at:?}");
        assert_eq!(super::numbers(&layout), [2, 5, 2]);
    }
}

#[test]
fn a_pod_on_two_slices_is_evicted_once() {
    let offers = offers("A100-SXM4-40GB");
    let both = &["default/both"];
    let existing = [
        held("1g.5gb", 0, 1, both),
        held("1g.5gb", 1, 1, both),
        held("1g.5gb", 4, 1, &["default/a"]),
        held("1g.5gb", 5, 1, &["default/b"]),
    ];
    let layout = search(
        &offers,
        &existing,
        &wanted(&[("3g.20gb", 1), ("1g.5gb", 2)]),
    )
    .unwrap();
    assert_eq!(layout.evicted, set(both));
    assert_eq!(places(&layout), ["3g.20gb@0", "1g.5gb@4", "1g.5gb@5"]);
}

#[test]
fn what_matters_more_is_decided_first() {
    let pod = &["default/pod"];
    let cases: [(&str, Vec<Existing>, Numbers, &[&str]); 4] = [
        (
            "two free instances rather than one that is held",
            vec![
                held("1g.5gb", 0, 1, pod),
                free("1g.5gb", 4, 1),
                free("1g.5gb", 5, 1),
            ],
            &[("1g.5gb", 2), ("3g.20gb", 1)],
            &["1g.5gb@0", "1g.5gb@1", "3g.20gb@4"],
        ),
        (
            "two created rather than two destroyed",
            vec![
                free("1g.5gb", 0, 1),
                free("1g.5gb", 1, 1),
                free("1g.10gb", 2, 2),
                unmovable("1g.5gb", 4, 1),
                unmovable("1g.5gb", 5, 1),
            ],
            &[("1g.5gb", 2), ("1g.10gb", 1), ("2g.10gb", 1)],
            &["1g.5gb@0", "1g.5gb@1", "2g.10gb@2", "1g.10gb@6"],
        ),
        (
            "room for a large one rather than a low start",
            vec![free("1g.5gb", 0, 1), free("1g.5gb", 6, 1)],
            &[("1g.5gb", 1)],
            &["1g.5gb@6"],
        ),
        (
            "a low start, all else being equal",
            vec![free("1g.5gb", 0, 1), free("1g.5gb", 1, 1)],
            &[("1g.5gb", 1)],
            &["1g.5gb@0"],
        ),
    ];
    for (what, existing, numbers, expected) in cases {
        let layout = search(&offers("A100-SXM4-40GB"), &existing, &wanted(numbers)).unwrap();
        assert_eq!(places(&layout), expected, "{what}");
    }
}

#[test]
fn what_is_there_already_is_the_answer() {
    let existing = seven(&[0, 3]);
    let layout = search(
        &offers("A100-SXM4-40GB"),
        &existing,
        &wanted(&[("1g.5gb", 7)]),
    )
    .unwrap();
    assert_eq!(super::numbers(&layout), [7, 0, 0]);
    assert_eq!(layout.evicted, set(&[]));
}

#[test]
fn an_instance_without_a_whole_compute_instance_is_made_anew() {
    let half = Existing {
        whole: false,
        ..free("3g.20gb", 4, 4)
    };
    let layout = search(
        &offers("A100-SXM4-40GB"),
        &[half],
        &wanted(&[("3g.20gb", 2)]),
    )
    .unwrap();
    assert_eq!(super::numbers(&layout), [0, 1, 2]);
}

#[test]
fn what_must_stay_and_is_wanted_takes_its_slices_once() {
    let layout = search(
        &offers("A100-SXM4-40GB"),
        &[unmovable("3g.20gb", 0, 4)],
        &wanted(&[("3g.20gb", 1), ("1g.5gb", 1)]),
    )
    .unwrap();
    assert_eq!(super::numbers(&layout), [1, 0, 1]);
    // Three compute slices are left, and memory for two of them.
    assert_eq!(layout.spare, [0, 0, 0, 1, 1, 2, 1]);
}

#[test]
fn nothing_wanted_means_every_movable_instance_goes() {
    for none in [wanted(&[]), wanted(&[("1g.5gb", 0), ("3g.20gb", -1)])] {
        let layout = search(&offers("A100-SXM4-40GB"), &seven(&[2]), &none).unwrap();
        assert_eq!(super::numbers(&layout), [0, 7, 0]);
        assert_eq!(layout.evicted, set(&["default/pod-2"]));
    }
}
