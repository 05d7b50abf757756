//! Layouts in few words.

use crds::gpu_node::{MigTarget, PlacedProfile};

use crate::layout::describe;

#[test]
fn a_layout_is_written_with_its_largest_slices_first() {
    let cases: [(&[&str], &str); 6] = [
        (&[], "no slices"),
        (&["1g.5gb"; 7], "7x1g.5gb"),
        (
            &["1g.5gb", "3g.20gb", "1g.5gb", "2g.10gb"],
            "3g.20gb+2g.10gb+2x1g.5gb",
        ),
        (&["1g.5gb", "1g.10gb"], "1g.10gb+1g.5gb"),
        (&["1g.5gb+me", "1g.5gb", "1g.5gb"], "2x1g.5gb+1g.5gb+me"),
        (&["unheard-of", "1g.5gb"], "1g.5gb+unheard-of"),
    ];
    for (profiles, expected) in cases {
        let place = |(start, profile): (i32, &&str)| PlacedProfile {
            start,
            profile: (*profile).to_owned(),
        };
        let mig = MigTarget {
            enabled: true,
            instances: (0..).zip(profiles).map(place).collect(),
        };
        assert_eq!(describe(&mig), expected);
    }
    assert_eq!(describe(&MigTarget::default()), "whole");
}
