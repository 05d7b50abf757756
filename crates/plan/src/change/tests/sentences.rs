//! Whether a target is reached, and what a person is told if not.

use crds::gpu_node::{GpuStatus, MigMode, Target};

use super::{MIXED, gpu, seven, slices, whole};
use crate::change::{differences, is_reached};

fn told(gpu: GpuStatus, target: &Target) -> String {
    is_reached(&[gpu], target).unwrap_err()
}

#[test]
fn every_target_that_is_reached_is_told_so() {
    let mut beside = gpu(MigMode::Enabled, &[("1g.5gb", 2, 1), ("3g.20gb", 4, 4)]);
    beside.instances[1].owned = false;
    let cases = [
        (gpu(MigMode::Disabled, &[]), whole(4)),
        (gpu(MigMode::NotSupported, &[]), whole(1)),
        (gpu(MigMode::Enabled, &[]), slices(&[])),
        (beside, slices(&[("1g.5gb", 2)])),
    ];
    for (gpu, target) in cases {
        assert_eq!(is_reached(&[gpu], &target), Ok(()));
    }
    assert_eq!(is_reached(&[seven()], &Target::default()), Ok(()));
}

#[test]
fn the_first_difference_is_a_sentence() {
    let mut pending = gpu(MigMode::Disabled, &[]);
    pending.mig.pending = MigMode::Enabled;
    let mut half = gpu(MigMode::Enabled, &[("3g.20gb", 4, 4)]);
    half.instances[0].uuid = None;
    let mut adopts = slices(&[]);
    adopts.adopt = true;
    let mut foreign = gpu(MigMode::Enabled, &[("3g.20gb", 4, 4)]);
    foreign.instances[0].owned = false;
    let cases = [
        (
            gpu(MigMode::Disabled, &[]),
            slices(MIXED),
            "MIG mode is off and should be on",
        ),
        (seven(), whole(1), "MIG mode is on and should be off"),
        (
            pending,
            whole(1),
            "MIG mode will be on after the next reset of the GPU, which is not wanted",
        ),
        (seven(), slices(MIXED), "2g.10gb at slice 0 is missing"),
        (
            seven(),
            slices(&[("1g.5gb", 0)]),
            "1g.5gb at slice 1 should not be there",
        ),
        (
            half,
            slices(&[("3g.20gb", 4)]),
            "3g.20gb at slice 4 has no whole compute instance",
        ),
        (foreign, adopts, "3g.20gb at slice 4 should not be there"),
    ];
    for (gpu, target, expected) in cases {
        assert_eq!(told(gpu, &target), format!("GPU 0 (GPU-a): {expected}"));
    }
}

#[test]
fn every_difference_is_told_once_instance_by_instance() {
    let mut gpu = gpu(MigMode::Enabled, &[("1g.5gb", 2, 1), ("3g.20gb", 4, 4)]);
    gpu.instances[1].uuid = None;
    let target = slices(&[("1g.5gb", 0), ("3g.20gb", 4)]);
    let told = differences(&[gpu], &target);
    let expected = [
        "GPU 0 (GPU-a): 1g.5gb at slice 0 is missing",
        "GPU 0 (GPU-a): 3g.20gb at slice 4 has no whole compute instance",
        "GPU 0 (GPU-a): 1g.5gb at slice 2 should not be there",
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_gpu_that_is_gone_is_named() {
    assert_eq!(
        is_reached(&[], &whole(1)),
        Err("GPU 0 (GPU-a) is not on this node".to_owned())
    );
}
