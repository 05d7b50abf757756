//! Computed names against the profiles that NVIDIA documents, by the figures that its drivers report.

use super::{Figures, computed, given};

const MIB: u64 = 1 << 20;

/// A GPU: its memory in MiB, and (number in the enum, slices, MiB, name) of each profile.
type Gpu = (&'static str, u64, &'static [(u32, u32, u64, &'static str)]);

/// Memory figures: the tables of go-nvml's mock GPUs. Names: NVIDIA's MIG user guide.
const GPUS: &[Gpu] = &[
    (
        "A100-40GB",
        40_960,
        &[
            (0, 1, 4_864, "1g.5gb"),
            (7, 1, 4_864, "1g.5gb+me"),
            (9, 1, 9_856, "1g.10gb"),
            (1, 2, 9_856, "2g.10gb"),
            (2, 3, 19_968, "3g.20gb"),
            (3, 4, 19_968, "4g.20gb"),
            (4, 7, 40_192, "7g.40gb"),
        ],
    ),
    (
        "A100-80GB",
        81_920,
        &[
            (0, 1, 9_856, "1g.10gb"),
            (7, 1, 9_856, "1g.10gb+me"),
            (9, 1, 19_968, "1g.20gb"),
            (1, 2, 19_968, "2g.20gb"),
            (2, 3, 40_192, "3g.40gb"),
            (3, 4, 40_192, "4g.40gb"),
            (4, 7, 80_384, "7g.80gb"),
        ],
    ),
    (
        "H100-80GB",
        81_920,
        &[
            (0, 1, 10_240, "1g.10gb"),
            (7, 1, 10_240, "1g.10gb+me"),
            (9, 1, 20_480, "1g.20gb"),
            (1, 2, 20_480, "2g.20gb"),
            (2, 3, 40_960, "3g.40gb"),
            (3, 4, 40_960, "4g.40gb"),
            (4, 7, 81_920, "7g.80gb"),
        ],
    ),
    (
        "A30",
        24_576,
        &[
            (0, 1, 5_836, "1g.6gb"),
            (7, 1, 5_836, "1g.6gb+me"),
            (1, 2, 11_672, "2g.12gb"),
            (8, 2, 11_672, "2g.12gb+me"),
            (3, 4, 23_344, "4g.24gb"),
        ],
    ),
];

#[test]
fn names_are_those_that_nvidia_documents() {
    for (gpu, total, profiles) in GPUS {
        for (index, slices, memory_mib, name) in *profiles {
            let figures = Figures {
                index: *index,
                slices: *slices,
                memory_mib: *memory_mib,
                gpu_bytes: total * MIB,
            };
            assert_eq!(computed(figures).as_deref(), Some(*name), "{gpu}");
        }
    }
}

/// The 96 GB of an RTX PRO 6000 in four slices, one of each attribute.
#[test]
fn attributes_follow_the_number_in_the_enum() {
    let cases = [
        (0, 1, "1g.24gb"),
        (7, 1, "1g.24gb+me"),
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
