//! What NVIDIA's device plugin can share on one node, and what it cannot: tables.

use std::collections::BTreeSet;

use crds::gpu_node::{ChangeClass, GpuStatus};
use serde_json::{Value, json};

use super::{a100, holds, policy, t4};
use crate::resolve::{Problem, ProblemReason, goal};

fn refusal(spec: Value, gpus: &[GpuStatus]) -> Problem {
    goal(&policy(spec), gpus, &BTreeSet::new()).unwrap_err()
}

/// One strategy for all GPUs but the second, and one for that.
fn parts(own: &Value, second: &Value) -> Value {
    json!({"strategy": own, "overrides": [{"gpus": {"indices": [1]}, "strategy": second}]})
}

fn sliced(replicas: i32, rename: bool) -> Value {
    json!({"type": "TimeSlicing", "timeSlicing": {"replicas": replicas, "renameByDefault": rename}})
}

/// Slices of a profile, shared by so many.
fn hybrid(profile: &str, replicas: i32, rename: bool) -> Value {
    let shared = json!({"replicas": replicas, "renameByDefault": rename});
    json!({"type": "MIG", "mig": {"layout": {profile: 2}, "timeSlicing": shared}})
}

#[test]
fn each_slice_is_shared_by_as_many_as_its_profile_says() {
    let layout = json!({"1g.5gb": 4, "3g.20gb": 1});
    for (shared, replicas, own, strategy, most) in [
        (json!({"replicas": 3}), 3, vec![], "mig-time-slicing", "3"),
        (
            json!({"replicas": 2, "perProfile": {"1g.5gb": 4}}),
            2,
            vec![("1g.5gb", 4)],
            "mig-time-slicing",
            "4",
        ),
        // What no slice has, or what is said of all others, is not told again.
        (
            json!({"replicas": 2, "perProfile": {"2g.10gb": 4, "3g.20gb": 2}}),
            2,
            vec![],
            "mig-time-slicing",
            "2",
        ),
    ] {
        let mig = json!({"layout": layout, "timeSlicing": shared});
        let spec = json!({"strategy": {"type": "MIG", "mig": mig}});
        let goal = goal(&policy(spec), &[a100(0, &[])], &BTreeSet::new()).unwrap();
        let sharing = &goal.target.gpus[0].sharing;
        let told: Vec<_> = sharing
            .per_profile
            .iter()
            .map(|(name, number)| (name.as_str(), *number))
            .collect();
        assert_eq!((sharing.replicas, told), (replicas, own), "{mig}");
        let labels = &goal.guarantees;
        assert_eq!(goal.strategy, strategy);
        assert_eq!(labels[crds::names::LABEL_MAX_SHARERS], most);
        assert_eq!(labels[crds::names::LABEL_MEMORY_ISOLATION], "none");
    }
}

#[test]
fn what_the_device_plugin_cannot_do_on_one_node_is_a_conflict() {
    let exclusive = json!({"type": "Exclusive"});
    let alone = json!({"type": "MIG", "mig": {"layout": {"1g.5gb": 1}}});
    let (gpu, slices) = ([t4(0), t4(1)], [a100(0, &[]), a100(1, &[])]);
    for (own, second, gpus, path, says) in [
        (
            sliced(4, false),
            exclusive,
            &gpu,
            "spec.overrides[0].strategy",
            "GPU 0 and GPU 1 would both be advertised as nvidia.com/gpu",
        ),
        (
            sliced(4, false),
            sliced(2, false),
            &gpu,
            "spec.overrides[0].strategy",
            "one number of replicas",
        ),
        (
            sliced(4, false),
            sliced(4, true),
            &gpu,
            "spec.overrides[0].strategy.timeSlicing",
            "write the same in every part",
        ),
        (
            hybrid("1g.5gb", 2, false),
            hybrid("1g.5gb", 4, false),
            &slices,
            "spec.overrides[0].strategy.mig.timeSlicing",
            "advertised as nvidia.com/mig-1g.5gb, there for 2 pods and here for 4 pods",
        ),
        (
            hybrid("1g.5gb", 2, false),
            alone.clone(),
            &slices,
            "spec.overrides[0].strategy.mig.timeSlicing",
            "there for 2 pods and here for one pod",
        ),
        (
            hybrid("1g.5gb", 2, false),
            hybrid("3g.20gb", 2, true),
            &slices,
            "spec.overrides[0].strategy.mig.timeSlicing",
            "write the same in every part",
        ),
        (
            sliced(4, true),
            hybrid("3g.20gb", 2, false),
            &slices,
            "spec.overrides[0].strategy.mig.timeSlicing",
            "write the same in every part",
        ),
    ] {
        let spec = parts(&own, &second);
        let problem = refusal(spec.clone(), gpus);
        assert_eq!(problem.reason, ProblemReason::Conflict, "{spec}");
        assert_eq!(problem.path, path, "{problem}");
        assert!(problem.message.contains(says), "{problem}");
        // On a node with one GPU there is nothing to conflict with.
        let one = goal(&policy(spec), &gpus[..1], &BTreeSet::new());
        assert!(one.is_ok(), "{one:?}");
    }
    for (own, second) in [
        (hybrid("1g.5gb", 2, true), hybrid("3g.20gb", 4, true)),
        (hybrid("1g.5gb", 2, true), hybrid("1g.5gb", 2, true)),
        (hybrid("3g.20gb", 2, false), alone),
        (sliced(4, false), hybrid("1g.5gb", 2, false)),
    ] {
        let spec = parts(&own, &second);
        let both = goal(&policy(spec.clone()), &slices, &BTreeSet::new());
        assert!(both.is_ok(), "{spec}: {both:?}");
    }
}

#[test]
fn another_number_of_replicas_disturbs_only_whoever_is_one_too_many() {
    let on = |pods: &[&str]| {
        let gpu = a100(0, &[("1g.5gb", 0, 1), ("1g.5gb", 1, 1)]);
        let gpu = holds(gpu, "alone", 1);
        pods.iter().fold(gpu, |gpu, pod| holds(gpu, pod, 0))
    };
    let affected = |replicas: i32, gpu: GpuStatus| {
        let spec = json!({"strategy": hybrid("1g.5gb", replicas, false)});
        let change = goal(&policy(spec), &[gpu], &BTreeSet::new())
            .unwrap()
            .change;
        (
            change.class,
            change.affected.into_iter().collect::<Vec<_>>(),
        )
    };
    let nobody = (ChangeClass::None, vec![]);
    assert_eq!(affected(4, on(&["a", "b"])), nobody);
    assert_eq!(affected(2, on(&["a", "b"])), nobody);
    let crowded = (ChangeClass::Gpus, vec!["MIG-0-0".to_owned()]);
    assert_eq!(affected(2, on(&["a", "b", "c"])), crowded);
}

#[test]
fn of_two_gpus_that_may_follow_a_part_the_one_follows_it_whose_pods_may_stay_on_it() {
    let three = |index: i32, pods: &[&str]| {
        let gpu = a100(index, &[("1g.5gb", 0, 1), ("1g.5gb", 1, 1)]);
        pods.iter().fold(gpu, |gpu, pod| holds(gpu, pod, 0))
    };
    // Slices for two or for four, called differently so that both can be on one node.
    let cut = |layout: Value, replicas: i32| json!({"type": "MIG", "mig": {"layout": layout, "timeSlicing": {"replicas": replicas}}});
    let spec = json!({
        "strategy": cut(json!({"1g.5gb": 2}), 4),
        "overrides": [{"gpus": {"count": 1}, "strategy": cut(json!({"3g.20gb": 1}), 2)}],
    });
    let gpus = [three(0, &["a", "b", "c"]), three(1, &["d"])];
    let goal = goal(&policy(spec), &gpus, &BTreeSet::new()).unwrap();
    let replicas: Vec<_> = goal
        .target
        .gpus
        .iter()
        .map(|it| it.sharing.replicas)
        .collect();
    assert_eq!(replicas, [4, 2]);
}
