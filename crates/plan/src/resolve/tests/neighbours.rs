//! Policies on nodes where others have a say.

use std::collections::BTreeSet;

use crds::GpuSharingPolicy;
use crds::gpu_node::GpuStatus;
use serde_json::json;

use super::super::{ProblemReason, Wish, wish};
use super::{a100, mig, policy, t4};
use crate::neighbours::{MigManager, Neighbours};

fn acts() -> MigManager {
    MigManager::Acts {
        evidence: "nvidia.com/gpu.deploy.mig-manager=true".to_owned(),
        deployed: Some("true".to_owned()),
        is_busy: false,
    }
}

fn taken_over() -> MigManager {
    MigManager::TakenOver {
        before: Some("true".to_owned()),
        is_intact: true,
    }
}

fn refused(
    policy: &GpuSharingPolicy,
    neighbours: &Neighbours,
    gpu: GpuStatus,
) -> Option<ProblemReason> {
    let (_, wish) = wish([policy], &[].into(), neighbours, &[gpu], &BTreeSet::new());
    match wish {
        Wish::Refused { problem, .. } => Some(problem.reason),
        Wish::Goal(_) => None,
        Wish::Unmanaged => panic!("it selects the node"),
    }
}

#[test]
fn mig_manager_forbids_what_has_to_do_with_mig_unless_the_policy_takes_over() {
    let slices = || mig(json!({"1g.5gb": 2}));
    let whole = || policy(json!({"strategy": {"type": "Exclusive"}}));
    let takes = |mut policy: GpuSharingPolicy| {
        policy.spec.take_over = true;
        policy
    };
    let foreign = Some(ProblemReason::ForeignManager);
    for (manager, policy, gpu, expected) in [
        (acts(), slices(), a100(0, &[]), foreign),
        (acts(), takes(slices()), a100(0, &[]), None),
        // It would put the slices back.
        (acts(), whole(), a100(0, &[]), foreign),
        (acts(), takes(whole()), a100(0, &[]), None),
        (acts(), whole(), t4(0), None),
        // It is given back.
        (taken_over(), slices(), a100(0, &[]), foreign),
        (taken_over(), takes(slices()), a100(0, &[]), None),
        (MigManager::Away, slices(), a100(0, &[]), None),
    ] {
        let neighbours = Neighbours {
            mig_manager: manager,
            ..Neighbours::default()
        };
        let strategy = policy.spec.strategy.r#type;
        let found = refused(&policy, &neighbours, gpu);
        assert_eq!(
            found, expected,
            "{neighbours:?} {strategy:?} {}",
            policy.spec.take_over
        );
    }
}

#[test]
fn another_manager_forbids_everything_and_cannot_be_taken_over() {
    let hami = Neighbours {
        manager: Some("HAMi hands out the GPUs of this node".to_owned()),
        ..Neighbours::default()
    };
    let exclusive = json!({"strategy": {"type": "Exclusive"}, "takeOver": true});
    let found = refused(&policy(exclusive), &hami, t4(0));
    assert_eq!(found, Some(ProblemReason::ForeignManager));
    let upgrade = Neighbours {
        driver_upgrade: Some("drain-required".to_owned()),
        ..Neighbours::default()
    };
    let found = refused(
        &policy(json!({"strategy": {"type": "Exclusive"}})),
        &upgrade,
        t4(0),
    );
    assert_eq!(found, None, "that is only waited for");
}
