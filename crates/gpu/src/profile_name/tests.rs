//! Computed names against the profiles that NVIDIA documents, by the figures that its drivers report.

use super::{Figures, computed, given};

const MIB: u64 = 1 << 20;

#[test]
fn names_of_every_product_are_those_that_nvidia_documents() {
    for product in products::ALL {
        for profile in product.mig.iter().flat_map(|mig| mig.profiles) {
            let figures = Figures {
                index: profile.index,
                slices: profile.compute_slices,
                memory_mib: profile.memory_mib,
                gpu_bytes: product.memory_mib * MIB,
            };
            let name = computed(figures);
            assert_eq!(name.as_deref(), Some(profile.name), "{}", product.key);
        }
    }
}

/// Also those that no product offers yet.
#[test]
fn attributes_follow_the_number_in_the_enum() {
    let cases = [
        (0, 1, "1g.24gb"),
        (5, 4, "4g.96gb"),
        (6, 4, "4g.96gb"),
        (7, 1, "1g.24gb+me"),
        (8, 2, "2g.48gb+me"),
        (10, 1, "1g.24gb+gfx"),
        (13, 1, "1g.24gb-me"),
        (15, 1, "1g.24gb+me.all"),
        (11, 2, "2g.48gb+gfx"),
        (14, 2, "2g.48gb-me"),
        (16, 2, "2g.48gb+me.all"),
        (17, 3, "3g.72gb+gfx"),
        (12, 4, "4g.96gb+gfx"),
    ];
    for (index, slices, name) in cases {
        let memory_mib = u64::from(slices) * 24 * 1024 - 100;
        let figures = Figures {
            index,
            slices,
            memory_mib,
            gpu_bytes: 96 * 1024 * MIB,
        };
        assert_eq!(computed(figures).as_deref(), Some(name));
    }
}

/// The 93.6 GiB of an H100 NVL in eighths, each a little less than its share, as drivers keep some for themselves.
#[test]
fn gigabytes_are_rounded_from_the_whole_of_the_gpu_rounded_up() {
    let total = 95_830;
    let cases = [
        (0, 1, 1, "1g.12gb"),
        (9, 1, 2, "1g.24gb"),
        (1, 2, 2, "2g.24gb"),
        (2, 3, 4, "3g.47gb"),
        (4, 7, 8, "7g.94gb"),
    ];
    for (index, slices, eighths, name) in cases {
        let figures = Figures {
            index,
            slices,
            memory_mib: total * eighths / 8 - 200,
            gpu_bytes: total * MIB,
        };
        assert_eq!(computed(figures).as_deref(), Some(name));
    }
}

#[test]
fn what_cannot_be_named_has_no_name() {
    let figures = Figures {
        index: 0,
        slices: 1,
        memory_mib: 4_864,
        gpu_bytes: 40_960 * MIB,
    };
    assert!(computed(figures).is_some());
    assert_eq!(
        computed(Figures {
            index: 18,
            ..figures
        }),
        None
    );
    assert_eq!(
        computed(Figures {
            gpu_bytes: 0,
            ..figures
        }),
        None
    );
}

#[test]
fn the_drivers_own_name_loses_its_prefix() {
    let cases = [
        ("MIG 1g.5gb+me", Some("1g.5gb+me")),
        ("1g.5gb", Some("1g.5gb")),
        ("", None),
        ("MIG ", None),
    ];
    for (text, name) in cases {
        assert_eq!(given(text).as_deref(), name, "{text:?}");
    }
}
