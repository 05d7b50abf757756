//! Presets, product by product.

use crds::policy::MigPreset;

use super::hardware::offers;
use super::{Numbers, wanted};
use crate::layout::{Infeasible, preset};

#[test]
fn presets_come_from_what_the_hardware_offers() {
    use MigPreset::{Balanced, Largest, Smallest};
    let cases: [(&str, MigPreset, Numbers); 9] = [
        (
            "A100-SXM4-40GB",
            Balanced,
            &[("1g.5gb", 2), ("2g.10gb", 1), ("3g.20gb", 1)],
        ),
        ("A100-SXM4-40GB", Smallest, &[("1g.5gb", 7)]),
        ("A100-SXM4-40GB", Largest, &[("7g.40gb", 1)]),
        (
            "H100-SXM5-80GB",
            Balanced,
            &[("1g.10gb", 2), ("2g.20gb", 1), ("3g.40gb", 1)],
        ),
        ("H100-SXM5-80GB", Smallest, &[("1g.10gb", 7)]),
        ("H100-SXM5-80GB", Largest, &[("7g.80gb", 1)]),
        ("A30", Balanced, &[("1g.6gb", 2), ("2g.12gb", 1)]),
        ("A30", Smallest, &[("1g.6gb", 4)]),
        ("A30", Largest, &[("4g.24gb", 1)]),
    ];
    for (product, name, expected) in cases {
        let mut offers = offers(product);
        let expected = Ok(wanted(expected));
        assert_eq!(preset(name, &offers), expected, "{name:?} on {product}");
        offers.reverse();
        assert_eq!(preset(name, &offers), expected, "{name:?} on {product}");
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
