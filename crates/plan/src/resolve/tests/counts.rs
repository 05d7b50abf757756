//! Overrides that take so many GPUs, and pods that are on several: tables.

use std::collections::BTreeSet;

use crds::gpu_node::{GpuStatus, MigMode, MigModeStatus};
use serde_json::{Value, json};

use super::{a100, holds, mig, policy, t4};
use crate::layout::tests::hardware::offers;
use crate::resolve::{Problem, ProblemReason, goal};

/// An A30 in MIG mode with these instances (profile, start, size).
fn a30(index: i32, instances: &[(&str, i32, i32)]) -> GpuStatus {
    GpuStatus {
        product: "NVIDIA A30".to_owned(),
        profiles: offers("A30"),
        ..a100(index, instances)
    }
}

/// Four small slices.
fn small(index: i32) -> GpuStatus {
    a30(
        index,
        &[
            ("1g.6gb", 0, 1),
            ("1g.6gb", 1, 1),
            ("1g.6gb", 2, 1),
            ("1g.6gb", 3, 1),
        ],
    )
}

/// Two halves.
fn halves(index: i32) -> GpuStatus {
    a30(index, &[("2g.12gb", 0, 2), ("2g.12gb", 2, 2)])
}

fn off(mut gpu: GpuStatus, pods: &[&str]) -> GpuStatus {
    gpu.mig = MigModeStatus {
        current: MigMode::Disabled,
        pending: MigMode::Disabled,
    };
    gpu.instances.clear();
    for pod in pods {
        gpu = holds(gpu, pod, 0);
    }
    for holder in &mut gpu.holders {
        holder.device.clone_from(&gpu.uuid);
    }
    gpu
}

/// So many GPUs are cut like this, the others like that.
fn split(count: i32, some: &Value, own: &Value) -> crds::GpuSharingPolicy {
    let cut = |layout: &Value| json!({"type": "MIG", "mig": {"layout": layout}});
    policy(json!({
        "strategy": cut(own),
        "overrides": [{"gpus": {"count": count}, "strategy": cut(some)}],
    }))
}

/// The layout of each GPU in words, and the pods that leave.
fn found(
    policy: &crds::GpuSharingPolicy,
    gpus: &[GpuStatus],
    protected: &[&str],
) -> (Vec<String>, Vec<String>) {
    let protected = protected.iter().map(|pod| format!("a/{pod}")).collect();
    let goal = goal(policy, gpus, &protected).unwrap();
    let layouts = goal
        .target
        .gpus
        .iter()
        .map(|gpu| crate::layout::describe(&gpu.mig));
    let mut pods = BTreeSet::new();
    for gpu in gpus {
        let leaving = gpu
            .holders
            .iter()
            .filter(|it| goal.change.affected.contains(&it.device));
        pods.extend(leaving.map(|it| it.pod.clone()));
    }
    (layouts.collect(), pods.into_iter().collect())
}

fn refused(policy: &crds::GpuSharingPolicy, gpus: &[GpuStatus]) -> Problem {
    goal(policy, gpus, &BTreeSet::new()).unwrap_err()
}

#[test]
fn a_pod_that_must_leave_one_gpu_is_taken_on_the_others_too() {
    // GPU 0 may lose x or y; GPU 1 must lose y, either because of its slices or because it is cut at all.
    let zero = || holds(holds(halves(0), "x", 0), "y", 2);
    let one = halves(1);
    let one = holds(holds(one, "y", 0), "y", 2);
    let layout = mig(json!({"2g.12gb": 1, "1g.6gb": 2}));
    assert_eq!(found(&layout, &[zero(), one], &[]).1, ["y"]);
    let first = off(a30(1, &[]), &["y"]);
    assert_eq!(found(&layout, &[zero(), first], &[]).1, ["y"]);
    let first = off(a30(1, &[]), &["x"]);
    assert_eq!(found(&layout, &[zero(), first], &[]).1, ["x"]);
}

#[test]
fn a_pod_on_several_gpus_counts_once_and_a_protected_one_more_than_any_number() {
    // Each GPU may lose the pod that is on both, or one of its own.
    let gpu = |index, own| holds(holds(halves(index), own, 0), "both", 2);
    let gpus = [gpu(0, "x"), gpu(1, "y")];
    let layout = mig(json!({"2g.12gb": 1, "1g.6gb": 2}));
    assert_eq!(found(&layout, &gpus, &[]).1, ["both"]);
    assert_eq!(found(&layout, &gpus, &["both"]).1, ["x", "y"]);
    assert_eq!(found(&layout, &gpus, &["both", "x"]).1, ["both"]);
}

#[test]
fn the_gpus_that_it_disturbs_least_follow_the_override() {
    let small_one = &json!({"1g.6gb": 4});
    let big = &json!({"2g.12gb": 2});
    // One is cut into halves already, wherever it is.
    let gpus = [small(0), halves(1), small(2)];
    assert_eq!(
        found(&split(1, big, small_one), &gpus, &[]).0,
        ["4x1g.6gb", "2x2g.12gb", "4x1g.6gb"]
    );
    // The other one is to be recut: the one without pods.
    let gpus = [holds(small(0), "x", 1), halves(1), small(2)];
    assert_eq!(
        found(&split(2, big, small_one), &gpus, &[]),
        (
            vec![
                "4x1g.6gb".to_owned(),
                "2x2g.12gb".to_owned(),
                "2x2g.12gb".to_owned()
            ],
            Vec::new(),
        )
    );
    // All alike: the first.
    let gpus = [small(0), small(1)];
    assert_eq!(
        found(&split(1, big, small_one), &gpus, &[]).0,
        ["2x2g.12gb", "4x1g.6gb"]
    );
    // Both keep what they have, and either could take a third: the one that is scattered does, the other keeps a half free.
    let compact = a30(0, &[("1g.6gb", 0, 1), ("1g.6gb", 1, 1)]);
    let scattered = a30(1, &[("1g.6gb", 0, 1), ("1g.6gb", 2, 1)]);
    let policy = split(1, &json!({"1g.6gb": 3}), &json!({"1g.6gb": 2}));
    assert_eq!(
        found(&policy, &[compact, scattered], &[]).0,
        ["2x1g.6gb", "3x1g.6gb"]
    );
}

#[test]
fn a_count_with_products_takes_of_those_and_an_override_without_comes_before_one_with_a_count_after_it()
 {
    let big = json!({"type": "MIG", "mig": {"layout": {"2g.12gb": 2}}});
    let whole = json!({"type": "Exclusive"});
    let of = |overrides: Value| policy(json!({"strategy": whole, "overrides": overrides}));
    let gpus = [t4(0), off(a30(1, &[]), &[]), off(a30(2, &[]), &["x"])];
    let some = of(json!([{"gpus": {"count": 1, "products": ["*A30"]}, "strategy": big}]));
    assert_eq!(found(&some, &gpus, &[]).0, ["whole", "2x2g.12gb", "whole"]);
    // Of any product, and only one can be cut.
    let any = of(json!([{"gpus": {"count": 2}, "strategy": big}]));
    assert_eq!(
        found(&any, &gpus, &[]).0,
        ["whole", "2x2g.12gb", "2x2g.12gb"]
    );
    let taken = of(json!([
        {"gpus": {"indices": [1]}, "strategy": whole},
        {"gpus": {"count": 1, "products": ["*A30"]}, "strategy": big},
    ]));
    assert_eq!(found(&taken, &gpus, &[]).0, ["whole", "whole", "2x2g.12gb"]);
}

/// A node of 8 GPUs that a search for slow ones found: the pod of each slice, by GPU; 0 is none.
const ENTANGLED: [[u8; 7]; 8] = [
    [9, 15, 18, 6, 11, 12, 14],
    [22, 24, 1, 17, 14, 12, 0],
    [17, 22, 19, 0, 0, 4, 25],
    [10, 0, 3, 1, 23, 1, 7],
    [9, 0, 13, 7, 0, 5, 4],
    [11, 24, 2, 0, 3, 18, 8],
    [5, 0, 3, 24, 24, 26, 13],
    [2, 10, 18, 1, 5, 2, 6],
];

#[test]
fn what_a_search_that_ended_early_found_keeps_the_counts_and_is_not_called_the_least() {
    let gpu = |(index, pods): (i32, [u8; 7])| {
        let starts = || 0..7;
        let slices: Vec<_> = starts().map(|start| ("1g.5gb", start, 1)).collect();
        let held = starts().zip(pods).filter(|(_, pod)| *pod > 0);
        held.fold(a100(index, &slices), |gpu, (start, pod)| {
            holds(gpu, &pod.to_string(), start)
        })
    };
    let gpus: Vec<_> = (0..).zip(ENTANGLED).map(gpu).collect();
    let small_one = json!({"1g.10gb": 1, "1g.5gb": 5});
    let policy = split(3, &json!({"2g.10gb": 1, "1g.5gb": 5}), &small_one);

    let whole = goal(&policy, &gpus, &BTreeSet::new()).unwrap();
    assert!(!whole.is_proved);
    let layouts = whole.target.gpus.iter();
    let layouts = layouts.map(|gpu| crate::layout::describe(&gpu.mig));
    assert_eq!(layouts.filter(|it| it.contains("2g.10gb")).count(), 3);

    let fewer = goal(&policy, &gpus[..4], &BTreeSet::new()).unwrap();
    assert!(fewer.is_proved);
}

#[test]
fn too_few_gpus_are_the_nodes_problem_and_say_what_to_write() {
    let small_one = &json!({"1g.6gb": 4});
    let problem = refused(
        &split(3, &json!({"2g.12gb": 2}), small_one),
        &[small(0), small(1)],
    );
    assert_eq!(problem.reason, ProblemReason::TooFewGpus);
    assert!(problem.reason.is_of_the_node());
    assert_eq!(problem.path, "spec.overrides[0].gpus.count");
    assert!(
        problem.message.contains("3 GPUs are wanted") && problem.message.contains("the node has 2"),
        "{problem}"
    );

    let mut both = split(1, &json!({"2g.12gb": 2}), small_one);
    let again = both.spec.overrides[0].clone();
    both.spec.overrides.push(again);
    let problem = refused(&both, &[small(0)]);
    assert_eq!(problem.path, "spec.overrides[0].gpus.count");
    assert!(problem.message.contains("several overrides"), "{problem}");

    // Enough of them, but what stands on one of them is somebody else's.
    let mut foreign = small(0);
    foreign.instances.iter_mut().for_each(|it| it.owned = false);
    let problem = refused(
        &split(2, &json!({"2g.12gb": 2}), small_one),
        &[foreign, small(1)],
    );
    assert_eq!(problem.reason, ProblemReason::ForeignInstances);
}

#[test]
fn only_a_part_that_is_followed_lets_what_others_have_made_go() {
    let mut foreign = small(0);
    foreign.instances.truncate(1);
    foreign.instances[0].owned = false;
    let policy = |count: i32| {
        policy(json!({
            "strategy": {"type": "MIG", "mig": {"layout": {"4g.24gb": 1}, "adopt": true}},
            "overrides": [{"gpus": {"count": count}, "strategy": {"type": "MIG", "mig": {"layout": {"1g.6gb": 2}}}}],
        }))
    };
    let none = BTreeSet::new();
    let goal =
        |policy: &crds::GpuSharingPolicy, gpus: &[GpuStatus]| goal(policy, gpus, &none).unwrap();
    assert!(!goal(&policy(1), &[foreign.clone()]).target.adopt);
    assert!(goal(&policy(1), &[foreign, small(1)]).target.adopt);
}
