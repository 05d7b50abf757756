use crds::gpu_node::{GpuTarget, MigTarget, SharingTarget};

use super::*;

fn gpu(mig: bool, r#type: StrategyType, replicas: i32) -> GpuTarget {
    GpuTarget {
        uuid: String::new(),
        index: 0,
        mig: MigTarget {
            enabled: mig,
            instances: Vec::new(),
        },
        sharing: SharingTarget { r#type, replicas },
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
