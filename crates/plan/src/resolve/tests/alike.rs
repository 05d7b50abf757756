//! GPUs that look alike and are not: each is cut beside any other as it is alone.

use std::collections::BTreeSet;

use crds::gpu_node::{GpuStatus, MigTarget};
use serde_json::json;

use super::super::goal;
use super::{a100, holds, policy};

/// Makes a GPU of this index.
type Make = fn(i32) -> GpuStatus;

const THERE: [(&str, i32, i32); 3] = [("2g.10gb", 0, 2), ("1g.5gb", 4, 1), ("1g.5gb", 5, 1)];

fn plain(index: i32) -> GpuStatus {
    a100(index, &THERE)
}

fn held(index: i32) -> GpuStatus {
    holds(plain(index), "on-5", 5)
}

fn half_made(index: i32) -> GpuStatus {
    let mut gpu = plain(index);
    gpu.instances[1].uuid = None;
    gpu
}

fn with_a_third(index: i32) -> GpuStatus {
    a100(index, &[THERE.as_slice(), &[("1g.5gb", 6, 1)]].concat())
}

fn with_a_third_by_others(index: i32) -> GpuStatus {
    let mut gpu = with_a_third(index);
    gpu.instances[3].owned = false;
    gpu
}

fn elsewhere(index: i32) -> GpuStatus {
    a100(
        index,
        &[("2g.10gb", 4, 2), ("1g.5gb", 0, 1), ("1g.5gb", 3, 1)],
    )
}

fn of_another_product(index: i32) -> GpuStatus {
    let product = "NVIDIA A100-PCIE-40GB".to_owned();
    GpuStatus {
        product,
        ..plain(index)
    }
}

fn with_less_on_offer(index: i32) -> GpuStatus {
    let mut gpu = plain(index);
    for offer in &mut gpu.profiles {
        if offer.name == "1g.10gb" {
            offer.placements.retain(|it| it.start < 6);
        }
    }
    gpu
}

#[test]
fn a_gpu_is_cut_beside_any_other_as_it_is_alone() {
    let policy = policy(json!({"strategy": {"type": "MIG", "mig": {
        "layout": {"3g.20gb": 1, "1g.10gb": 1, "1g.5gb": 1},
        "perProduct": [{"products": ["*PCIE*"], "layout": {"2g.10gb": 2}}],
    }}}));
    let cut = |gpus: &[GpuStatus]| -> Vec<MigTarget> {
        let goal = goal(&policy, gpus, &BTreeSet::new()).unwrap();
        goal.target.gpus.into_iter().map(|it| it.mig).collect()
    };
    let kinds: [(&str, Make); 8] = [
        ("plain", plain),
        ("held", held),
        ("half made", half_made),
        ("with a third", with_a_third),
        ("with a third by others", with_a_third_by_others),
        ("elsewhere", elsewhere),
        ("of another product", of_another_product),
        ("with less on offer", with_less_on_offer),
    ];
    let mut seen = BTreeSet::new();
    for (one, first) in kinds {
        seen.insert(format!("{:?}", cut(&[first(0)])));
        for (other, second) in kinds {
            let alone = [cut(&[first(0)]), cut(&[second(1)])].concat();
            assert_eq!(cut(&[first(0), second(1)]), alone, "{one} and {other}");
        }
    }
    assert!(seen.len() > 4, "they are cut too much alike: {seen:?}");
}
