//! What is true of all names and of all texts.

use proptest::prelude::*;

use crate::profile::{Attribute, ProfileName, resource, round_trip};

/// Every name that there can be. The attributes are of few words, so that names are alike.
fn name() -> impl Strategy<Value = ProfileName> {
    let slices = prop_oneof![1..=8_u32, 1..=u32::MAX];
    let parts = (slices, any::<Option<u32>>(), 1..=u32::MAX, attribute());
    parts.prop_map(|(slices, compute, gigabytes, attribute)| ProfileName {
        compute: compute.map(|it| it % slices).filter(|&it| it > 0),
        slices,
        gigabytes,
        attribute,
    })
}

fn attribute() -> impl Strategy<Value = Option<Attribute>> {
    let text = "[+-](me|gfx)([.]all)?(,x)?";
    let attribute = text.prop_map(|text: String| Attribute::parse(&text).unwrap());
    proptest::option::of(attribute)
}

/// Anything, and what is nearly a name.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[0-9]{0,2}[a-z.+,-]{0,12}",
        "([0-9]{1,2}c[.])?[0-9]{1,2}g[.][0-9]{1,4}gb([+-][a-z.,]{0,6})?",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn a_name_that_is_written_is_read_as_the_same_name(name in name()) {
        prop_assert_eq!(name.to_string().parse(), Ok(name));
    }

    #[test]
    fn a_text_that_is_read_is_written_as_the_same_text(text in text()) {
        round_trip::holds(&text);
    }

    #[test]
    fn no_two_profiles_have_one_resource(one in name(), attribute in attribute()) {
        let other = ProfileName { attribute, ..one.clone() };
        let [one, other] = [one, other].map(|name| name.to_string());
        prop_assert_eq!(resource(&one) == resource(&other), one == other);
    }
}
