//! Slices that are all called `nvidia.com/gpu`: tables.

use std::collections::BTreeSet;

use crds::gpu_node::{GpuStatus, MigMode};
use crds::policy::Advertise;
use serde_json::{Value, json};

use super::{a100, policy, t4};
use crate::layout::tests::hardware::offers;
use crate::resolve::{ProblemReason, goal};

fn single(with: Value) -> Value {
    let mut mig = json!({"advertise": "Single"});
    let with = with.as_object().unwrap().clone();
    mig.as_object_mut().unwrap().extend(with);
    json!({"type": "MIG", "mig": mig})
}

fn seven() -> Value {
    single(json!({"layout": {"1g.5gb": 7}}))
}

fn parts(own: Value, second: Value) -> Value {
    json!({"strategy": own, "overrides": [{"gpus": {"indices": [1]}, "strategy": second}]})
}

/// An A100 with slices of other sizes.
fn large(index: i32) -> GpuStatus {
    GpuStatus {
        product: "NVIDIA A100-SXM4-80GB".to_owned(),
        profiles: offers("A100-SXM4-80GB"),
        ..a100(index, &[])
    }
}

/// Another product whose smallest slices have the same name as the large A100's.
fn h100(index: i32) -> GpuStatus {
    GpuStatus {
        product: "NVIDIA H100 80GB HBM3".to_owned(),
        profiles: offers("H100-SXM5-80GB"),
        ..a100(index, &[])
    }
}

#[test]
fn like_slices_of_all_gpus_are_called_gpus() {
    let off = |mut gpu: GpuStatus| {
        gpu.mig.current = MigMode::Disabled;
        gpu.mig.pending = MigMode::Disabled;
        gpu
    };
    let shared = json!({"preset": "Smallest", "timeSlicing": {"replicas": 2}});
    for (spec, gpus) in [
        (json!({"strategy": seven()}), vec![a100(0, &[])]),
        (
            json!({"strategy": seven()}),
            vec![a100(0, &[]), off(a100(1, &[]))],
        ),
        (
            json!({"strategy": single(shared)}),
            vec![a100(0, &[]), a100(1, &[])],
        ),
        // As many on each is not asked for.
        (
            parts(seven(), single(json!({"layout": {"1g.5gb": 2}}))),
            vec![a100(0, &[]), a100(1, &[])],
        ),
        (
            json!({"strategy": single(json!({"preset": "Smallest"}))}),
            vec![large(0), large(1)],
        ),
    ] {
        let goal = goal(&policy(spec.clone()), &gpus, &BTreeSet::new()).unwrap();
        assert_eq!(goal.target.advertise, Advertise::Single, "{spec}");
    }
    // Without slices there is nothing to call.
    let spec = parts(json!({"type": "Exclusive"}), seven());
    let goal = goal(&policy(spec), &[a100(0, &[])], &BTreeSet::new()).unwrap();
    assert_eq!(goal.target.advertise, Advertise::Mixed);
}

#[test]
fn what_ends_the_device_plugin_is_refused_before_anything_changes() {
    let balanced = single(json!({"preset": "Balanced"}));
    let smallest = || single(json!({"preset": "Smallest"}));
    let mixed = json!({"type": "MIG", "mig": {"layout": {"1g.5gb": 7}}});
    let halves = single(json!({"layout": {"3g.20gb": 2}}));
    let twice =
        |shared: i32| single(json!({"layout": {"1g.5gb": 7}, "timeSlicing": {"replicas": shared}}));
    let exclusive = json!({"type": "Exclusive"});
    let two = || vec![a100(0, &[]), a100(1, &[])];
    for (spec, gpus, path, says) in [
        (
            parts(seven(), exclusive),
            vec![a100(0, &[]), t4(1)],
            "spec.strategy.mig.advertise",
            "GPU 1 is not cut into slices",
        ),
        (
            parts(seven(), mixed),
            two(),
            "spec.overrides[0].strategy.mig.advertise",
            "write the same advertise in every part",
        ),
        (
            json!({"strategy": balanced}),
            vec![a100(0, &[])],
            "spec.strategy.mig.advertise",
            "write advertise: Mixed",
        ),
        (
            parts(seven(), halves),
            two(),
            "spec.overrides[0].strategy.mig.advertise",
            "GPU 0 has slices of 1g.5gb and GPU 1 of 3g.20gb",
        ),
        (
            json!({"strategy": smallest()}),
            vec![a100(0, &[]), large(1)],
            "spec.strategy.mig.advertise",
            "GPU 0 has slices of 1g.5gb and GPU 1 of 1g.10gb",
        ),
        (
            json!({"strategy": smallest()}),
            vec![large(0), h100(1)],
            "spec.strategy.mig.advertise",
            "GPU 1 of 1g.10gb on another product, NVIDIA H100 80GB HBM3",
        ),
        (
            parts(twice(2), twice(4)),
            two(),
            "spec.overrides[0].strategy.mig.timeSlicing",
            "advertised as nvidia.com/gpu, there for 2 pods and here for 4 pods",
        ),
    ] {
        let problem = goal(&policy(spec.clone()), &gpus, &BTreeSet::new()).unwrap_err();
        assert_eq!(problem.reason, ProblemReason::Conflict, "{spec}: {problem}");
        assert_eq!(problem.path, path, "{problem}");
        assert!(problem.message.contains(says), "{problem}");
    }
}

#[test]
fn what_others_have_made_must_be_like_it_or_may_go() {
    let mut gpu = a100(0, &[("1g.5gb", 0, 1), ("1g.5gb", 1, 1)]);
    gpu.instances[0].owned = false;
    let three = |adopt: bool| {
        let mig = json!({"layout": {"1g.5gb": 3}, "adopt": adopt});
        policy(json!({"strategy": single(mig)}))
    };
    let none = BTreeSet::new();
    assert!(goal(&three(false), &[gpu.clone()], &none).is_ok());

    let mut unlike = a100(0, &[("3g.20gb", 4, 4)]);
    unlike.instances[0].owned = false;
    let problem = goal(&three(false), &[unlike.clone()], &none).unwrap_err();
    assert_eq!(problem.reason, ProblemReason::ForeignInstances);
    assert!(problem.reason.is_of_the_node());
    assert!(
        problem.message.contains("GPU 0 has 3g.20gb at slice 4"),
        "{problem}"
    );
    assert!(goal(&three(true), &[unlike], &none).is_ok());

    // Divided, it has devices of another size.
    gpu.instances[0].uuid = None;
    gpu.instances[0].start = 6;
    let problem = goal(&three(false), &[gpu], &none).unwrap_err();
    assert_eq!(problem.reason, ProblemReason::ForeignInstances);
}

/// Which GPU follows an override by number is chosen so that the plugin can do it.
#[test]
fn an_override_by_number_takes_a_gpu_that_leaves_only_like_slices() {
    let spec = json!({
        "strategy": seven(),
        "overrides": [
            {"gpus": {"indices": [1]}, "strategy": seven()},
            {"gpus": {"count": 1}, "strategy": single(json!({"layout": {"1g.5gb": 2}}))},
        ],
    });
    let goal = goal(
        &policy(spec),
        &[a100(0, &[]), a100(1, &[])],
        &BTreeSet::new(),
    )
    .unwrap();
    let numbers: Vec<_> = goal
        .target
        .gpus
        .iter()
        .map(|it| it.mig.instances.len())
        .collect();
    assert_eq!(numbers, [2, 7]);
}
