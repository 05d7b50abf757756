use std::collections::BTreeSet;

use crds::gpu_node::{ChangeClass, GpuStatus, MigMode, MigTarget};
use serde_json::{Value, json};

use super::super::{Goal, Problem, ProblemReason, goal};
use super::{a100, holds, mig, policy, t4};
use crate::layout::describe;

const SEVEN: [(&str, i32, i32); 7] = [
    ("1g.5gb", 0, 1),
    ("1g.5gb", 1, 1),
    ("1g.5gb", 2, 1),
    ("1g.5gb", 3, 1),
    ("1g.5gb", 4, 1),
    ("1g.5gb", 5, 1),
    ("1g.5gb", 6, 1),
];

fn layouts(goal: &Goal) -> Vec<String> {
    goal.target
        .gpus
        .iter()
        .map(|gpu| describe(&gpu.mig))
        .collect()
}

fn refusal(spec: Value, gpus: &[GpuStatus]) -> Problem {
    goal(&policy(spec), gpus, &BTreeSet::new()).unwrap_err()
}

#[test]
fn each_strategy_makes_its_target() {
    let two = [a100(0, &[]), a100(1, &[])];
    let per_product = json!({"strategy": {"type": "MIG", "mig": {
        "preset": "Smallest",
        "perProduct": [{"products": ["*H100*"], "preset": "Largest"}, {"products": ["*A100*40GB"], "layout": {"3g.20gb": 2}}],
    }}});
    let mixed = json!({
        "strategy": {"type": "MIG", "mig": {"preset": "Balanced"}},
        "overrides": [{"gpus": {"indices": [1, 7]}, "strategy": {"type": "TimeSlicing", "timeSlicing": {"replicas": 4}}}],
    });
    for (spec, strategy, expected) in [
        (
            json!({"strategy": {"type": "Exclusive"}}),
            "exclusive",
            ["whole", "whole"],
        ),
        (
            json!({"strategy": {"type": "TimeSlicing", "timeSlicing": {"replicas": 4}}}),
            "time-slicing",
            ["whole", "whole"],
        ),
        (
            json!({"strategy": {"type": "MIG", "mig": {"layout": {"1g.5gb": 7}}}}),
            "mig",
            ["7x1g.5gb", "7x1g.5gb"],
        ),
        (
            json!({"strategy": {"type": "MIG", "mig": {"preset": "Balanced"}}}),
            "mig",
            ["3g.20gb+2g.10gb+2x1g.5gb"; 2],
        ),
        (
            json!({"strategy": {"type": "MIG", "mig": {"preset": "Largest"}}}),
            "mig",
            ["7g.40gb", "7g.40gb"],
        ),
        (per_product, "mig", ["2x3g.20gb", "2x3g.20gb"]),
        (mixed, "mixed", ["3g.20gb+2g.10gb+2x1g.5gb", "whole"]),
    ] {
        let goal = goal(&policy(spec.clone()), &two, &BTreeSet::new()).unwrap();
        assert_eq!(
            (goal.strategy.as_str(), layouts(&goal)),
            (strategy, expected.map(str::to_owned).to_vec()),
            "{spec}"
        );
        assert_eq!(goal.policy.generation, 3);
    }
}

#[test]
fn a_target_that_is_reached_is_what_is_there() {
    let gpu = a100(0, &[("3g.20gb", 0, 4), ("1g.5gb", 5, 1)]);
    let goal = goal(
        &mig(json!({"3g.20gb": 1, "1g.5gb": 1})),
        &[gpu],
        &BTreeSet::new(),
    )
    .unwrap();
    assert_eq!(goal.change.class, ChangeClass::None);
    let starts: Vec<_> = goal.target.gpus[0]
        .mig
        .instances
        .iter()
        .map(|it| it.start)
        .collect();
    assert_eq!(starts, [0, 5]);
}

#[test]
fn a_protected_pod_stays_whatever_it_costs_others_and_goes_only_if_it_must() {
    // Seven slices, of which four stay beside a 3g in the place of the other three or four.
    let on = |gpu, starts: &[i32]| {
        let pod = |gpu, start: &i32| holds(gpu, &format!("p{start}"), *start);
        starts.iter().fold(gpu, pod)
    };
    let gpu = on(a100(0, &SEVEN), &[0, 4, 5, 6]);
    let wanted = mig(json!({"3g.20gb": 1, "1g.5gb": 3}));
    let evicts = |protected: &[&str]| {
        let protected = protected.iter().map(|pod| format!("a/{pod}")).collect();
        let goal = goal(&wanted, std::slice::from_ref(&gpu), &protected).unwrap();
        let gone = gpu.holders.iter();
        let gone = gone.filter(|it| goal.change.affected.contains(&it.device));
        gone.map(|it| it.pod.clone()).collect::<Vec<_>>()
    };
    assert_eq!(evicts(&[]), ["p0"]);
    assert_eq!(evicts(&["p0"]), ["p4", "p5", "p6"]);
    assert_eq!(evicts(&["p0", "p5"]), ["p0"], "one of them must");
    assert_eq!(evicts(&["p4", "p5", "p6"]), ["p0"]);
    assert_eq!(evicts(&["another"]), ["p0"]);
}

#[test]
fn a_layout_that_cannot_be_had_comes_with_those_that_can() {
    let spec = json!({"strategy": {"type": "MIG", "mig": {"layout": {"3g.20gb": 2, "1g.5gb": 1}}}});
    let problem = refusal(spec, &[a100(0, &[])]);
    assert_eq!(problem.reason, ProblemReason::NoPlacement);
    let end = "; there is room for 2x3g.20gb, or for 3g.20gb+2g.10gb+1g.5gb, or for 3g.20gb+2g.10gb+1g.5gb+me";
    assert!(problem.message.ends_with(end), "{}", problem.message);
}

#[test]
fn a_pod_that_leaves_for_one_gpu_costs_nothing_on_the_next() {
    // Whichever pod GPU 0 evicts, GPU 1 can free its place by evicting the same one.
    let both = |index| holds(holds(holds(a100(index, &SEVEN), "x", 0), "y", 1), "z", 2);
    let wanted = mig(json!({"3g.20gb": 1, "2g.10gb": 1, "1g.5gb": 2}));
    let goal = goal(&wanted, &[both(0), both(1)], &BTreeSet::new()).unwrap();
    let gone: BTreeSet<_> = goal
        .change
        .affected
        .iter()
        .map(|uuid| uuid.rsplit('-').next().unwrap())
        .collect();
    let held = ["0", "1", "2"]
        .iter()
        .filter(|start| gone.contains(**start))
        .count();
    assert_eq!(held, 1, "{:?}", goal.change.affected);
}

#[test]
fn gpus_are_taken_in_the_order_of_their_indices() {
    let goal = goal(
        &mig(json!({"7g.40gb": 1})),
        &[a100(1, &[]), a100(0, &[])],
        &BTreeSet::new(),
    )
    .unwrap();
    let order: Vec<_> = goal.target.gpus.iter().map(|gpu| gpu.index).collect();
    assert_eq!(order, [0, 1]);
}

#[test]
fn what_cannot_be_says_why_and_whose_mistake_it_is() {
    let layout = |layout: Value| json!({"strategy": {"type": "MIG", "mig": {"layout": layout}}});
    let mut foreign = a100(0, &[("7g.40gb", 0, 8)]);
    foreign.instances[0].owned = false;
    let mut silent = a100(0, &[]);
    silent.profiles.clear();
    silent.mig.current = MigMode::Disabled;
    for (spec, gpu, reason, of_the_node, path, says) in [
        (
            layout(json!({"4g.20gb": 1, "3g.20gb": 2})),
            a100(0, &[]),
            ProblemReason::NoPlacement,
            false,
            "spec.strategy.mig.layout",
            "does not fit on this GPU, not even on an empty one",
        ),
        (
            layout(json!({"1g.10gb+me": 1})),
            a100(0, &[]),
            ProblemReason::NoPlacement,
            false,
            "spec.strategy.mig.layout",
            "it offers 7g.40gb",
        ),
        (
            layout(json!({"1g.5gb": 1})),
            t4(0),
            ProblemReason::MigNotSupported,
            false,
            "spec.strategy.mig",
            "GPU 0 is a Tesla T4, which has no MIG",
        ),
        (
            layout(json!({"1g.5gb": 1})),
            foreign.clone(),
            ProblemReason::ForeignInstances,
            true,
            "spec.strategy.mig.layout",
            "set mig.adopt",
        ),
        (
            json!({"strategy": {"type": "Exclusive"}}),
            foreign,
            ProblemReason::ForeignInstances,
            true,
            "spec.strategy",
            "7g.40gb at slice 0, made by somebody else",
        ),
        (
            layout(json!({"1g.5gb": 1})),
            silent,
            ProblemReason::NoInventory,
            true,
            "spec.strategy.mig.layout",
            "offers no MIG profiles",
        ),
    ] {
        let problem = refusal(spec, &[gpu]);
        assert_eq!(
            (problem.reason, problem.path.as_str()),
            (reason, path),
            "{problem}"
        );
        assert_eq!(problem.reason.is_of_the_node(), of_the_node, "{problem}");
        assert!(problem.message.contains(says), "{problem}");
    }
    let nothing = refusal(json!({"strategy": {"type": "Exclusive"}}), &[]);
    assert_eq!(nothing.reason, ProblemReason::NoInventory);
}

#[test]
fn adopting_lets_instances_of_others_go() {
    let mut foreign = a100(0, &[("7g.40gb", 0, 8)]);
    foreign.instances[0].owned = false;
    let adopting = policy(
        json!({"strategy": {"type": "MIG", "mig": {"layout": {"1g.5gb": 7}, "adopt": true}}}),
    );
    let goal = goal(&adopting, &[foreign], &BTreeSet::new()).unwrap();
    assert!(goal.target.adopt);
    assert_eq!(goal.change.class, ChangeClass::Devices);
    assert_ne!(goal.target.gpus[0].mig, MigTarget::default());
}
