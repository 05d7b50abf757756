//! What is told about GPUs that are not as they should be.

use std::collections::BTreeMap;

use crds::gpu_node::{GpuStatus, PreviousGpu};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::decide::conditions::{drifted, foreign_instances};
use crate::decide::layout;
use crate::world::{a100, at, cut, target};

fn drift(gpus: &[GpuStatus], verified: &[PreviousGpu], given_up: &[(&str, &str)]) -> Condition {
    let given_up: BTreeMap<_, _> = given_up
        .iter()
        .map(|(gpu, why)| ((*gpu).to_owned(), (*why).to_owned()))
        .collect();
    let mut conditions = Vec::new();
    let now = Timestamp::UNIX_EPOCH;
    drifted(&mut conditions, gpus, verified, &given_up, now);
    conditions.remove(0)
}

#[test]
fn drift_is_a_difference_from_what_was_last_verified() {
    let verified = layout::wanted(&target("G", &[("7g.40gb", 0)]));
    let there = drift(&[cut(a100("G"), &[("7g.40gb", 0)])], &verified, &[]);
    assert_eq!((&*there.status, &*there.reason), ("False", "AsVerified"));
    let never = drift(&[a100("G")], &[], &[]);
    assert_eq!(
        (&*never.status, &*never.reason),
        ("False", "NothingVerified")
    );
    let lost = drift(&[a100("G")], &verified, &[]);
    assert_eq!((&*lost.status, &*lost.reason), ("True", "Differs"));
    assert_eq!(lost.message, "GPU 0 (G): 7g.40gb at slice 0 is missing");
    let other = drift(&[a100("H")], &verified, &[]);
    assert_eq!(other.message, "GPU G is not on this node any more");
}

#[test]
fn drift_is_told_instance_by_instance_and_with_what_failed_after_a_reboot() {
    let two = target("G", &[("1g.5gb", 0), ("3g.20gb", 4)]);
    let other = target("H", &[("7g.40gb", 0)]);
    let verified = [layout::wanted(&two), layout::wanted(&other)].concat();
    let gpus = [cut(a100("G"), &[("2g.10gb", 2)]), a100("H")];
    let told = drift(&gpus, &verified, &[("H", "the driver offers no 7g.40gb")]);
    assert_eq!((&*told.status, &*told.reason), ("True", "NotRestored"));
    assert_eq!(
        told.message,
        "GPU 0 (G): 1g.5gb at slice 0 is missing; GPU 0 (G): 3g.20gb at slice 4 is missing; \
         GPU 0 (G): 2g.10gb at slice 2 should not be there; GPU 0 (H): 7g.40gb at slice 0 is missing; \
         GPU H could not be put in order after the reboot: the driver offers no 7g.40gb"
    );
}

#[test]
fn instances_of_others_are_named_with_what_is_in_them_and_how_to_adopt_them() {
    let told = |gpu: GpuStatus| {
        let mut conditions = Vec::new();
        foreign_instances(&mut conditions, &[gpu], Timestamp::UNIX_EPOCH);
        conditions.remove(0)
    };
    let mut gpu = cut(
        a100("G"),
        &[("1g.5gb", 0), ("1g.5gb", 1), ("1g.5gb", 2), ("3g.20gb", 4)],
    );
    let ours = told(gpu.clone());
    assert_eq!((&*ours.status, &*ours.reason), ("False", "AllOurs"));
    for start in [1, 2, 4] {
        at(&mut gpu, start).owned = false;
    }
    at(&mut gpu, 2).uuid = None;
    at(&mut gpu, 4).uuid = None;
    at(&mut gpu, 4).parts = vec!["MIG-a".to_owned(), "MIG-b".to_owned()];
    let theirs = told(gpu);
    assert_eq!((&*theirs.status, &*theirs.reason), ("True", "NotOurs"));
    assert_eq!(
        theirs.message,
        "made or divided by somebody else: 1g.5gb at slice 1 of GPU 0 (MIG-G-1); 1g.5gb at slice 2 of GPU 0 (no compute \
         instance); 3g.20gb at slice 4 of GPU 0 (divided: MIG-a, MIG-b); they are left alone, and what is wanted must go \
         around them. With mig.adopt: true in the policy, operations may take them over or destroy them"
    );
}
