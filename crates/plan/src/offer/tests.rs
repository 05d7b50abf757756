use super::*;

#[test]
fn a_device_is_called_as_the_plugin_calls_it_and_in_no_other_way() {
    use Advertise::{Mixed, Single};
    let every = [
        "nvidia.com/gpu",
        "nvidia.com/gpu.shared",
        "nvidia.com/mig-1g.5gb",
        "nvidia.com/mig-1g.5gb.shared",
        "nvidia.com/mig-1g.5gb.me",
        "nvidia.com/mig-1g.5gb.me.shared",
        "nvidia.com/mig-1g.10gb-me",
        "1g.5gb",
        "",
    ];
    for (profile, advertise, replicas, rename, name) in [
        (None, Mixed, 1, false, "nvidia.com/gpu"),
        (None, Mixed, 4, false, "nvidia.com/gpu"),
        (None, Mixed, 4, true, "nvidia.com/gpu.shared"),
        // Only what is shared is renamed.
        (None, Mixed, 1, true, "nvidia.com/gpu"),
        (Some("1g.5gb"), Mixed, 1, false, "nvidia.com/mig-1g.5gb"),
        (
            Some("1g.5gb"),
            Mixed,
            2,
            true,
            "nvidia.com/mig-1g.5gb.shared",
        ),
        (
            Some("1g.5gb+me"),
            Mixed,
            2,
            false,
            "nvidia.com/mig-1g.5gb.me",
        ),
        (
            Some("1g.5gb+me"),
            Mixed,
            2,
            true,
            "nvidia.com/mig-1g.5gb.me.shared",
        ),
        (
            Some("1g.10gb-me"),
            Mixed,
            1,
            false,
            "nvidia.com/mig-1g.10gb-me",
        ),
        (Some("1g.5gb"), Single, 1, false, "nvidia.com/gpu"),
        (Some("1g.5gb"), Single, 2, true, "nvidia.com/gpu.shared"),
    ] {
        let offer = Offer::new(profile, advertise, replicas, rename);
        assert_eq!(offer.to_string(), name);
        for other in every {
            assert_eq!(
                offer.is_called(other),
                other == name,
                "{offer:?}: {other:?}"
            );
        }
    }
}
