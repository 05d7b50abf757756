use crds::gpu_node::{GpuTarget, MigTarget, PlacedProfile, SharingTarget};

use super::*;

fn gpu(mig: bool, r#type: StrategyType, replicas: i32) -> GpuTarget {
    GpuTarget {
        uuid: String::new(),
        index: 0,
        mig: MigTarget {
            enabled: mig,
            instances: ["1g.5gb", "3g.20gb"]
                .into_iter()
                .filter(|_| mig)
                .map(|profile| PlacedProfile {
                    start: 0,
                    profile: profile.to_owned(),
                })
                .collect(),
        },
        sharing: SharingTarget {
            r#type,
            replicas,
            per_profile: [].into(),
            mps: None,
        },
    }
}

#[test]
fn each_way_to_share_promises_what_it_can_keep() {
    use StrategyType::{Exclusive, Mig, Mps, TimeSlicing};
    for (gpus, expected) in [
        (
            vec![gpu(false, Exclusive, 1)],
            ["exclusive", "hardware", "hardware", "1"],
        ),
        (
            vec![gpu(false, TimeSlicing, 4)],
            ["time-slicing", "none", "none", "4"],
        ),
        (
            vec![gpu(false, Mps, 8)],
            ["mps", "client-limit", "none", "8"],
        ),
        (
            vec![gpu(true, Mig, 1), gpu(true, Mig, 1)],
            ["mig", "hardware", "hardware", "1"],
        ),
        (
            vec![gpu(true, Mig, 2)],
            ["mig-time-slicing", "none", "none", "2"],
        ),
        (
            vec![gpu(true, Mig, 1), gpu(false, Mps, 3)],
            ["mixed", "client-limit", "none", "3"],
        ),
        (
            vec![gpu(true, Mig, 1), gpu(false, Exclusive, 1)],
            ["mixed", "hardware", "hardware", "1"],
        ),
    ] {
        let target = Target {
            gpus,
            ..Target::default()
        };
        let labels = labels(&target, "p");
        let said = [
            LABEL_STRATEGY,
            LABEL_MEMORY_ISOLATION,
            LABEL_FAULT_ISOLATION,
            LABEL_MAX_SHARERS,
        ]
        .map(|label| labels[label].as_str());
        assert_eq!(said, expected, "{target:?}");
        assert_eq!(labels[LABEL_POLICY], "p");
        assert_eq!(labels.len(), crds::names::GUARANTEE_LABELS.len());
    }
}

#[test]
fn the_most_sharers_are_those_of_the_slices_that_are_there() {
    for (replicas, own, sharers, strategy) in [
        (2, vec![("1g.5gb", 4)], "4", "mig-time-slicing"),
        (4, vec![("3g.20gb", 2)], "4", "mig-time-slicing"),
        // Nothing has the number that is said for all others.
        (
            8,
            vec![("3g.20gb", 2), ("1g.5gb", 3)],
            "3",
            "mig-time-slicing",
        ),
        (1, vec![("2g.10gb", 9)], "1", "mig"),
    ] {
        let mut gpu = gpu(true, StrategyType::Mig, replicas);
        let own = own.into_iter();
        gpu.sharing.per_profile = own
            .map(|(name, number)| (name.to_owned(), number))
            .collect();
        let target = Target {
            gpus: vec![gpu],
            ..Target::default()
        };
        let labels = labels(&target, "p");
        let said = [LABEL_MAX_SHARERS, LABEL_STRATEGY].map(|label| labels[label].as_str());
        assert_eq!(said, [sharers, strategy], "{target:?}");
    }
}
