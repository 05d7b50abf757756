//! Presets, product by product.

use std::collections::BTreeMap;

use crds::policy::MigPreset;

use super::hardware::offers;
use super::wanted;
use crate::layout::{Infeasible, preset};

/// Product, then what `Balanced`, `Smallest` and `Largest` mean on it.
const PRESETS: &[(&str, &str, &str, &str)] = &[
    ("A30", "1g.6gb=2,2g.12gb=1", "1g.6gb=4", "4g.24gb=1"),
    (
        "A100-SXM4-40GB",
        "1g.5gb=2,2g.10gb=1,3g.20gb=1",
        "1g.5gb=7",
        "7g.40gb=1",
    ),
    (
        "A100-SXM4-80GB",
        "1g.10gb=2,2g.20gb=1,3g.40gb=1",
        "1g.10gb=7",
        "7g.80gb=1",
    ),
    (
        "H100-SXM5-80GB",
        "1g.10gb=2,2g.20gb=1,3g.40gb=1",
        "1g.10gb=7",
        "7g.80gb=1",
    ),
    (
        "H100-NVL",
        "1g.12gb=2,2g.24gb=1,3g.47gb=1",
        "1g.12gb=7",
        "7g.94gb=1",
    ),
    (
        "H100-96GB",
        "1g.12gb=2,2g.24gb=1,3g.48gb=1",
        "1g.12gb=7",
        "7g.96gb=1",
    ),
    (
        "H200-SXM-141GB",
        "1g.18gb=2,2g.35gb=1,3g.71gb=1",
        "1g.18gb=7",
        "7g.141gb=1",
    ),
    (
        "B200-180GB",
        "1g.23gb=2,2g.45gb=1,3g.90gb=1",
        "1g.23gb=7",
        "7g.180gb=1",
    ),
    (
        "RTX-PRO-6000",
        "1g.24gb=2,2g.48gb=1",
        "1g.24gb=4",
        "4g.96gb=1",
    ),
];

fn numbers(text: &str) -> BTreeMap<String, i32> {
    let each = text.split(',').map(|part| part.split_once('=').unwrap());
    each.map(|(profile, number)| (profile.to_owned(), number.parse().unwrap()))
        .collect()
}

#[test]
fn presets_come_from_what_the_hardware_offers() {
    let with_mig = products::ALL.iter().filter(|it| it.mig.is_some());
    assert_eq!(PRESETS.len(), with_mig.count(), "every product is listed");
    for (product, balanced, smallest, largest) in PRESETS {
        let mut offers = offers(product);
        for (name, expected) in [
            (MigPreset::Balanced, balanced),
            (MigPreset::Smallest, smallest),
            (MigPreset::Largest, largest),
        ] {
            let expected = Ok(numbers(expected));
            assert_eq!(preset(name, &offers), expected, "{name:?} on {product}");
            offers.reverse();
            assert_eq!(preset(name, &offers), expected, "{name:?} on {product}");
        }
    }
}

#[test]
fn a_maximum_that_is_too_high_does_not_make_a_preset_impossible() {
    let mut offers = offers("A30");
    for offer in &mut offers {
        offer.max += 3;
    }
    assert_eq!(
        preset(MigPreset::Smallest, &offers),
        Ok(wanted(&[("1g.6gb", 4)]))
    );
}

#[test]
fn without_offers_there_is_no_preset() {
    assert_eq!(
        preset(MigPreset::Balanced, &[]),
        Err(Infeasible::NothingOffered)
    );
}
