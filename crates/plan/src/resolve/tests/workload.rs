//! What workloads need against what a policy gives them.

use std::collections::BTreeSet;

use crds::gpu_node::GpuStatus;
use serde_json::{Value, json};

use super::super::ProblemReason::{
    self, IsolationNotGiven, MemoryOvercommitted, NotTrusted, ProfileTooSmall,
};
use super::super::{Problem, check, goal};
use super::{a100, policy, t4};

fn with(strategy: Value, workload: Value) -> Value {
    json!({"strategy": strategy, "workload": workload})
}

fn slicing(replicas: i32) -> Value {
    json!({"type": "TimeSlicing", "timeSlicing": {"replicas": replicas}})
}

fn mps() -> Value {
    json!({"type": "MPS", "mps": {"replicas": 2}})
}

fn slices(layout: Value) -> Value {
    json!({"type": "MIG", "mig": {"layout": layout}})
}

#[test]
fn what_a_strategy_does_not_isolate_is_told_with_the_field_that_chose_it() {
    let hard = || json!({"isolation": "Hard"});
    let own = "spec.strategy.type";
    let hybrid =
        || json!({"type": "MIG", "mig": {"layout": {"1g.5gb": 2}, "timeSlicing": {"replicas": 2}}});
    let overridden = json!({
        "strategy": slices(json!({"1g.5gb": 2})),
        "workload": hard(),
        "overrides": [{"gpus": {"indices": [0]}, "strategy": slicing(2)}],
    });
    for (spec, expected) in [
        (with(slicing(2), hard()), vec![(IsolationNotGiven, own)]),
        (with(mps(), hard()), vec![(IsolationNotGiven, own)]),
        (
            with(mps(), json!({"isolation": "Hard", "trusted": true})),
            vec![(IsolationNotGiven, own)],
        ),
        (with(mps(), json!({})), vec![(NotTrusted, own)]),
        (with(mps(), json!({"trusted": true})), vec![]),
        (with(slicing(2), json!({})), vec![]),
        (with(slices(json!({"1g.5gb": 2})), hard()), vec![]),
        (with(hybrid(), hard()), vec![(IsolationNotGiven, own)]),
        (with(hybrid(), json!({})), vec![]),
        (with(json!({"type": "Exclusive"}), hard()), vec![]),
        (json!({"strategy": slicing(2)}), vec![]),
        (
            overridden,
            vec![(IsolationNotGiven, "spec.overrides[0].strategy.type")],
        ),
    ] {
        let ours = [IsolationNotGiven, NotTrusted];
        let found = check(&policy(spec.clone()).spec).into_iter();
        let found: Vec<_> = found.filter(|it| ours.contains(&it.reason)).collect();
        let found: Vec<_> = found
            .iter()
            .map(|it| (it.reason, it.path.as_str()))
            .collect();
        assert_eq!(found, expected, "{spec}");
    }
}

fn problem(spec: Value, gpu: GpuStatus) -> Option<Problem> {
    goal(&policy(spec), &[gpu], &BTreeSet::new()).err()
}

/// Reason, path, and a part of the message.
type Found = Option<(ProblemReason, &'static str, &'static str)>;

/// An A100 with 40 GiB and a T4, here with as much.
#[test]
fn what_does_not_fit_is_told_with_the_field_and_with_what_would_do() {
    let needs = |memory: &str| json!({"memory": memory});
    let hybrid = |layout: Value, replicas: i32| json!({"type": "MIG", "mig": {"layout": layout, "timeSlicing": {"replicas": replicas}}});
    let small = slices(json!({"1g.5gb": 3}));
    let cut = || a100(0, &[]);
    let cases: [(Value, GpuStatus, Found); 12] = [
        (with(small.clone(), needs("4Gi")), cut(), None),
        (
            with(small.clone(), needs("8Gi")),
            cut(),
            Some((
                ProfileTooSmall,
                "spec.strategy.mig.layout",
                "1g.10gb would do",
            )),
        ),
        (
            with(small.clone(), needs("16Gi")),
            cut(),
            Some((
                ProfileTooSmall,
                "spec.strategy.mig.layout",
                "3g.20gb would do",
            )),
        ),
        (
            with(small.clone(), needs("64Gi")),
            cut(),
            Some((
                ProfileTooSmall,
                "spec.strategy.mig.layout",
                "offers no slice that would do",
            )),
        ),
        // One that is large enough is enough.
        (
            with(slices(json!({"1g.5gb": 1, "3g.20gb": 1})), needs("16Gi")),
            cut(),
            None,
        ),
        (
            with(
                json!({"type": "MIG", "mig": {"preset": "Smallest"}}),
                needs("8Gi"),
            ),
            cut(),
            Some((
                ProfileTooSmall,
                "spec.strategy.mig.preset",
                "1g.10gb would do",
            )),
        ),
        (
            with(hybrid(json!({"3g.20gb": 2}), 2), needs("8Gi")),
            cut(),
            None,
        ),
        (
            with(hybrid(json!({"3g.20gb": 2}), 4), needs("8Gi")),
            cut(),
            Some((
                MemoryOvercommitted,
                "spec.strategy.mig.timeSlicing",
                "4 workloads",
            )),
        ),
        (with(slicing(4), needs("10Gi")), t4(0), None),
        (
            with(slicing(5), needs("10Gi")),
            t4(0),
            Some((MemoryOvercommitted, "spec.strategy", "5 workloads")),
        ),
        (
            with(json!({"type": "Exclusive"}), needs("41Gi")),
            t4(0),
            Some((MemoryOvercommitted, "spec.strategy", "one workload")),
        ),
        (json!({"strategy": slicing(48)}), t4(0), None),
    ];
    for (spec, gpu, expected) in cases {
        let found = problem(spec.clone(), gpu);
        let (reason, path) = found
            .as_ref()
            .map(|it| (it.reason, it.path.as_str()))
            .unzip();
        assert_eq!(
            reason.zip(path),
            expected.map(|(reason, path, _)| (reason, path)),
            "{spec}: {found:?}"
        );
        let part = expected.map_or("", |(_, _, part)| part);
        let message = found.map_or_else(String::new, |it| it.message);
        assert!(message.contains(part), "{spec}: {message}");
    }
}

#[test]
fn no_workload_gets_more_than_the_limit_of_mps() {
    let limited = |memory: &str| {
        let strategy = json!({"type": "MPS", "mps": {"replicas": 4, "memoryLimit": "8Gi"}});
        with(strategy, json!({"memory": memory, "trusted": true}))
    };
    assert_eq!(problem(limited("8Gi"), t4(0)), None);
    let found = problem(limited("8193Mi"), t4(0)).unwrap();
    assert_eq!(found.reason, MemoryOvercommitted);
    assert_eq!(found.path, "spec.strategy.mps.memoryLimit");
    assert!(found.message.contains("MPS gives each 8192 MiB"), "{found}");
}
