//! MPS as a strategy: exact numbers, and what cannot be beside it.

use std::collections::BTreeSet;

use crds::gpu_node::{ChangeClass, GpuStatus, MigMode, MpsTarget};
use crds::names::{LABEL_FAULT_ISOLATION, LABEL_MAX_SHARERS, LABEL_MEMORY_ISOLATION};
use serde_json::{Value, json};

use super::super::{Problem, ProblemReason, goal};
use super::{a100, holds, policy, t4};

fn mps(settings: Value) -> Value {
    json!({"type": "MPS", "mps": settings})
}

fn only(strategy: Value) -> Value {
    json!({"strategy": strategy})
}

fn second(own: Value, other: Value) -> Value {
    json!({"strategy": own, "overrides": [{"gpus": {"indices": [1]}, "strategy": other}]})
}

fn old(index: i32) -> GpuStatus {
    let mut gpu = t4(index);
    gpu.compute_capability = Some("7.0".to_owned());
    gpu.memory_mib = 32_768;
    gpu
}

fn refusal(spec: Value, gpus: &[GpuStatus]) -> Problem {
    goal(&policy(spec), gpus, &BTreeSet::new()).unwrap_err()
}

#[test]
fn a_target_has_exact_numbers_for_each_gpu() {
    let small = |mut gpu: GpuStatus| {
        gpu.memory_mib = 15_360;
        gpu
    };
    let gpus = [t4(0), small(t4(1))];
    for (settings, expected) in [
        (json!({"replicas": 4}), [(25, 10_240), (25, 3_840)]),
        (json!({"replicas": 3}), [(33, 13_653), (33, 5_120)]),
        (
            json!({"replicas": 3, "activeThreadPercentage": 60, "memoryLimit": "2Gi"}),
            [(60, 2_048), (60, 2_048)],
        ),
        (
            json!({"replicas": 48, "memoryLimit": "8Gi", "allowMemoryOversubscription": true}),
            [(2, 8_192), (2, 8_192)],
        ),
    ] {
        let goal = goal(&policy(only(mps(settings))), &gpus, &BTreeSet::new()).unwrap();
        let targets = goal.target.gpus.iter();
        let targets: Vec<_> = targets.map(|gpu| gpu.sharing.mps.unwrap()).collect();
        let expected = expected.map(|(percentage, mib)| MpsTarget {
            active_thread_percentage: percentage,
            memory_limit_mib: Some(mib),
        });
        assert_eq!(targets, expected);
        assert_eq!(
            (goal.strategy.as_str(), goal.change.class),
            ("mps", ChangeClass::Gpus)
        );
    }
}

#[test]
fn a_node_with_mps_says_what_it_does_not_isolate() {
    let goal = goal(
        &policy(only(mps(json!({"replicas": 4})))),
        &[t4(0)],
        &BTreeSet::new(),
    )
    .unwrap();
    let said = [
        LABEL_MEMORY_ISOLATION,
        LABEL_FAULT_ISOLATION,
        LABEL_MAX_SHARERS,
    ];
    let said = said.map(|label| goal.guarantees[label].as_str());
    assert_eq!(said, ["client-limit", "none", "4"]);
}

#[test]
fn a_gpu_in_mig_mode_is_made_whole_first() {
    let gpu = holds(a100(0, &[("1g.5gb", 0, 1)]), "x", 0);
    let goal = goal(
        &policy(only(mps(json!({"replicas": 2})))),
        &[gpu],
        &BTreeSet::new(),
    )
    .unwrap();
    assert!(!goal.target.gpus[0].mig.enabled);
    assert_eq!(goal.change.class, ChangeClass::Gpus);
    assert!(goal.change.affected.contains("MIG-0-0"));
}

#[test]
fn what_is_served_already_is_what_is_wanted() {
    let spec = only(mps(json!({"replicas": 4})));
    let mut gpu = t4(0);
    gpu.mps = Some(
        goal(&policy(spec.clone()), &[t4(0)], &BTreeSet::new())
            .unwrap()
            .target
            .gpus[0]
            .sharing
            .clone(),
    );
    let goal = goal(&policy(spec), &[gpu], &BTreeSet::new()).unwrap();
    assert_eq!(goal.change.class, ChangeClass::None);
}

#[test]
fn what_a_gpu_cannot_give_to_its_clients_is_refused_with_the_field() {
    let in_mig_mode = {
        let mut gpu = a100(0, &[]);
        gpu.mig.current = MigMode::Enabled;
        gpu
    };
    for (gpu, settings, path, says) in [
        (
            old(0),
            json!({"replicas": 17}),
            "replicas",
            "at most 16 MPS clients",
        ),
        (
            t4(0),
            json!({"replicas": 4, "memoryLimit": "11Gi"}),
            "memoryLimit",
            "may use 45056 MiB together, and it has 40960 MiB",
        ),
        (
            in_mig_mode,
            json!({"replicas": 8, "memoryLimit": "6Gi"}),
            "memoryLimit",
            "set mps.allowMemoryOversubscription",
        ),
    ] {
        let problem = refusal(only(mps(settings)), &[gpu]);
        assert_eq!(problem.reason, ProblemReason::MpsLimitsExceeded);
        assert_eq!(problem.path, format!("spec.strategy.mps.{path}"));
        assert!(problem.message.contains(says), "{problem}");
    }
    let enough = only(mps(json!({"replicas": 16})));
    assert!(goal(&policy(enough), &[old(0)], &BTreeSet::new()).is_ok());
}

#[test]
fn nothing_else_is_beside_mps_on_one_node() {
    let four = || mps(json!({"replicas": 4}));
    let sliced = json!({"type": "TimeSlicing", "timeSlicing": {"replicas": 4}});
    let cut = json!({"type": "MIG", "mig": {"layout": {"1g.5gb": 1}}});
    let (gpu, a100s) = ([t4(0), t4(1)], [a100(0, &[]), a100(1, &[])]);
    let other = "spec.overrides[0].strategy";
    for (own, beside, gpus, path, says) in [
        (
            four(),
            json!({"type": "Exclusive"}),
            &gpu,
            other,
            "one strategy",
        ),
        (four(), sliced.clone(), &gpu, other, "one strategy"),
        (sliced, four(), &gpu, other, "one strategy"),
        (
            four(),
            mps(json!({"replicas": 2})),
            &gpu,
            other,
            "one number of replicas",
        ),
        (
            four(),
            cut.clone(),
            &a100s,
            other,
            "give all GPUs of the node MPS, or none",
        ),
        (
            cut,
            four(),
            &a100s,
            "spec.strategy",
            "GPU 1 is to be shared through MPS and GPU 0",
        ),
        (
            four(),
            mps(json!({"replicas": 4, "activeThreadPercentage": 30})),
            &gpu,
            "spec.overrides[0].strategy.mps.activeThreadPercentage",
            "an MPS daemon knows one",
        ),
    ] {
        let spec = second(own, beside);
        let problem = refusal(spec.clone(), gpus);
        assert_eq!(problem.reason, ProblemReason::Conflict, "{spec}");
        assert_eq!(problem.path, path, "{problem}");
        assert!(problem.message.contains(says), "{problem}");
        assert!(!problem.reason.is_of_the_node());
    }
    // Limits of memory are each GPU's own.
    let less = mps(json!({"replicas": 4, "memoryLimit": "1Gi"}));
    let both = goal(&policy(second(four(), less)), &gpu, &BTreeSet::new()).unwrap();
    let memory = both.target.gpus.iter();
    let memory: Vec<_> = memory
        .map(|gpu| gpu.sharing.mps.unwrap().memory_limit_mib)
        .collect();
    assert_eq!(memory, [Some(10_240), Some(1_024)]);
}

/// Where a part counts GPUs and could follow MPS only beside slices, no choice is without a conflict.
#[test]
fn a_counted_override_does_not_mix_mps_with_slices_either() {
    let cut = json!({"type": "MIG", "mig": {"layout": {"1g.5gb": 1}}});
    let spec = json!({
        "strategy": mps(json!({"replicas": 4})),
        "overrides": [{"gpus": {"count": 1}, "strategy": cut}],
    });
    let problem = refusal(spec, &[a100(0, &[]), a100(1, &[])]);
    assert_eq!(problem.reason, ProblemReason::Conflict);
}
