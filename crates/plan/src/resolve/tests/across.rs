//! The GPUs of a node together: our choice against trying everything.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::brute::{Case, Gpu, Layout, PODS, PROFILES, Plan, every};
use crate::resolve::{ProblemReason, goal};

fn gpu() -> impl Strategy<Value = Gpu> {
    let layouts: Vec<[usize; 3]> = vec![
        [0; 3],
        [1, 0, 0],
        [0, 1, 0],
        [0, 2, 0],
        [0, 1, 2],
        [0, 1, 1],
        [0, 0, 4],
        [0, 0, 2],
    ];
    let layout =
        prop::sample::select(layouts).prop_flat_map(|wanted| prop::sample::select(every(wanted)));
    let pods = prop::collection::vec((0..PODS.len(), any::<prop::sample::Index>()), 0..5);
    (prop::bool::weighted(0.8), layout, pods).prop_map(|(cut, layout, pods)| {
        let starts: Vec<i32> = if cut {
            layout.iter().map(|it| it.1).collect()
        } else {
            vec![0]
        };
        let pods = pods.into_iter().filter(|_| !starts.is_empty());
        let pods: BTreeSet<_> = pods
            .map(|(pod, at)| (pod, starts[at.index(starts.len())]))
            .collect();
        Gpu {
            cut,
            layout: if cut { layout } else { Layout::new() },
            pods: pods.into_iter().collect(),
        }
    })
}

fn plan() -> impl Strategy<Value = Plan> {
    let cuts = vec![
        [1, 0, 0],
        [0, 2, 0],
        [0, 1, 2],
        [0, 1, 1],
        [0, 0, 4],
        [0, 0, 3],
        [0, 0, 1],
    ];
    prop_oneof![
        1 => (1_usize..3).prop_map(Plan::Whole),
        4 => prop::sample::select(cuts).prop_map(Plan::Cut),
    ]
}

fn case() -> impl Strategy<Value = Case> {
    let overrides = (
        plan(),
        prop::option::weighted(0.7, 1_usize..3),
        prop::collection::vec(0..3_i32, 1..3),
    );
    (
        prop::collection::vec(gpu(), 2..4),
        prop::collection::btree_set(0..PODS.len(), 0..3),
        plan(),
        prop::collection::vec(overrides, 0..3),
    )
        .prop_map(|(gpus, protected, own, overrides)| Case {
            gpus,
            protected,
            own,
            overrides,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn of_all_choices_for_a_node_ours_disturbs_it_least(case in case()) {
        let gpus: Vec<_> = (0..).zip(&case.gpus).map(|(index, gpu)| gpu.status(index)).collect();
        let protected = case.protected.iter().map(|pod| PODS[*pod].to_owned()).collect();
        let found = goal(&case.policy(), &gpus, &protected);
        let (best, is_counted) = case.best();
        match (found, best) {
            (Ok(goal), Some(best)) => {
                prop_assert!(goal.is_proved, "so small a node");
                prop_assert_eq!(case.judge(&goal.target), best, "{:?}", goal.target);
            }
            (Err(problem), None) => {
                let expected = if is_counted { ProblemReason::Conflict } else { ProblemReason::TooFewGpus };
                prop_assert_eq!(problem.reason, expected, "{}", problem);
            }
            (found, best) => prop_assert!(false, "{found:?} instead of {best:?}"),
        }
    }

    #[test]
    fn a_node_that_has_reached_its_target_keeps_it_wherever_pods_land(case in case(), pods in prop::collection::vec(0..PODS.len(), 12)) {
        let gpus: Vec<_> = (0..).zip(&case.gpus).map(|(index, gpu)| gpu.status(index)).collect();
        let policy = case.policy();
        let Ok(first) = goal(&policy, &gpus, &BTreeSet::new()) else { return Ok(()) };
        let profile = |name: &str| PROFILES.iter().position(|it| it.0 == name).unwrap();
        let mut pods = pods.into_iter();
        let reached: Vec<_> = first.target.gpus.iter().map(|gpu| {
            let places = gpu.mig.instances.iter();
            let layout: Layout = places.map(|it| (profile(&it.profile), it.start)).collect();
            let starts = if gpu.mig.enabled { layout.iter().map(|it| it.1).collect() } else { vec![0] };
            let pods = pods.by_ref().zip(starts).collect();
            Gpu { cut: gpu.mig.enabled, layout, pods }.status(gpu.index)
        }).collect();
        let again = goal(&policy, &reached, &BTreeSet::new()).unwrap();
        prop_assert_eq!(again.target, first.target);
    }
}
