//! Names by table, and as properties.

mod properties;

use super::{Attribute, NotAProfile, ProfileName, of_resource, resource, round_trip};

#[test]
fn names_are_read_and_written_as_nvidias_tools_write_them() {
    let cases = [
        ("1g.5gb", None, 1, 5, None),
        ("7g.141gb", None, 7, 141, None),
        ("1g.5gb+me", None, 1, 5, Some("+me")),
        ("1g.24gb+me.all", None, 1, 24, Some("+me.all")),
        ("1g.24gb-me", None, 1, 24, Some("-me")),
        ("2g.48gb+gfx", None, 2, 48, Some("+gfx")),
        ("1c.3g.20gb", Some(1), 3, 20, None),
        ("2g.48gb-me", None, 2, 48, Some("-me")),
        ("1c.2g.48gb+me,gfx", Some(1), 2, 48, Some("+me,gfx")),
        ("1g.5gb-me,gb.all", None, 1, 5, Some("-me,gb.all")),
        (
            "4294967294c.4294967295g.4294967295gb",
            Some(u32::MAX - 1),
            u32::MAX,
            u32::MAX,
            None,
        ),
    ];
    for (text, compute, slices, gigabytes, attribute) in cases {
        let name = ProfileName {
            compute,
            slices,
            gigabytes,
            attribute: attribute.map(|text| Attribute::parse(text).unwrap()),
        };
        assert_eq!(text.parse(), Ok(name.clone()), "{text}");
        assert_eq!(name.to_string(), text);
        round_trip::holds(text);
        assert_eq!(name.is_plain(), compute.is_none() && attribute.is_none());
    }
}

#[test]
fn what_is_no_name_is_refused() {
    let cases = [
        "",
        "1g",
        "5gb",
        "1g.5",
        "g.5gb",
        "0g.5gb",
        "1g.05gb",
        "+1g.5gb",
        "1g.+5gb",
        "1g.5gb+",
        "1g.5gb-",
        "1g.5gb+ME",
        "1g.5gb+me.",
        "1g.5gb+me+gfx",
        "1g.5gb+me-gfx",
        "1g.5gb+me,",
        "1g.5gb+me,me",
        "1g.5gb+me..all",
        "1g.5gb+2",
        "1g.5gb.me",
        "1g.5gb shared",
        "1g.5gb me",
        "1g.5gb ",
        "1.1g.5gb",
        "a.1c.1g.5gb",
        "0c.1g.5gb",
        "1c.1g.5gb",
        "3c.2g.10gb",
        "1c.2c.3g.20gb",
        "MIG 1g.5gb",
        "1G.5GB",
        "1g.5gb\n",
        "1g.5gb\0",
        "1g.4294967296gb",
        "-1g.5gb",
        "1g.5gi",
        "nvidia.com/mig-1g.5gb",
        "1g.99999999999gb",
        "１g.5gb",
    ];
    for text in cases {
        assert_eq!(
            text.parse::<ProfileName>(),
            Err(NotAProfile(text.to_owned()))
        );
    }
}

#[test]
fn resources_are_named_as_the_device_plugin_names_them() {
    let cases = [
        ("1g.5gb", "nvidia.com/mig-1g.5gb"),
        ("1g.5gb+me", "nvidia.com/mig-1g.5gb.me"),
        ("1g.24gb+me.all", "nvidia.com/mig-1g.24gb.me.all"),
        ("1g.24gb-me", "nvidia.com/mig-1g.24gb-me"),
    ];
    for (profile, expected) in cases {
        assert_eq!(resource(profile), expected);
    }
}

#[test]
fn a_resource_leads_back_to_the_profile_that_the_hardware_has() {
    let offered = ["1g.24gb", "1g.24gb+me.all", "1g.24gb-me", "1g.24gb+me"];
    for profile in offered {
        assert_eq!(of_resource(&resource(profile), offered), Some(profile));
    }
    for unknown in [
        "nvidia.com/gpu",
        "nvidia.com/mig-1g.24gb.shared",
        "nvidia.com/mig-1g.24gb+me",
        "nvidia.com/mig-2g.48gb",
        "1g.24gb",
        "",
    ] {
        assert_eq!(of_resource(unknown, offered), None, "{unknown}");
    }
}
