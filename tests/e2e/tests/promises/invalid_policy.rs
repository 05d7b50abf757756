//! A policy that cannot be satisfied says exactly why, and touches nothing.

use e2e::Workload;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::look::condition;
use crate::record::told;
use crate::scene::{A100, GPU, SEVEN, Scene, a100, spec, t4};

async fn invalid(scene: &Scene, policy: &str) -> Condition {
    let is = |status: &crds::GpuSharingPolicyStatus| {
        condition(&status.conditions, "Valid").is_some_and(|it| it.status == "False")
    };
    let policy = scene.wait_policy(policy, "is invalid", is).await;
    condition(&policy.status.unwrap().conditions, "Valid")
        .unwrap()
        .clone()
}

#[tokio::test]
async fn a_policy_that_cannot_be_satisfied_says_why_and_changes_nothing() {
    let nodes = [
        a100("large"),
        a100("zone"),
        a100("some"),
        t4("none").label("pool", "some"),
        a100("later"),
        a100("unlike"),
    ];
    let scene = Scene::start(nodes).await;
    scene.run(&Workload::new("model").asks(GPU, 1), 6).await;
    let mark = scene.quiet().await;
    let layout = "{type: MIG, mig: {layout: {7g.40gb: 2}}}";
    scene.policy("large", &spec("large", layout, "")).await;
    let window =
        "maintenance: {windows: [{start: '01:00', end: '02:00', timeZone: Europe/Atlantis}]}";
    scene.policy("zone", &spec("zone", SEVEN, window)).await;
    scene.policy("some", &spec("some", SEVEN, "")).await;
    let auto = spec("later", "{type: Auto}", "workload: {}");
    scene.policy("later", &auto).await;
    let single = "{type: MIG, mig: {preset: Balanced, advertise: Single}}";
    scene.policy("unlike", &spec("unlike", single, "")).await;

    for (policy, reason, path, why) in [
        ("large", "NoPlacement", "spec.strategy.mig.layout", A100),
        (
            "zone",
            "UnknownTimeZone",
            "spec.maintenance.windows[0]",
            "Europe/Atlantis",
        ),
        ("some", "MigNotSupported", "spec.strategy", "has no MIG"),
        (
            "later",
            "NotYetSupported",
            "spec.strategy.type",
            "not supported by this version",
        ),
        (
            "unlike",
            "Conflict",
            "spec.strategy.mig.advertise",
            "write advertise: Mixed",
        ),
    ] {
        let valid = invalid(&scene, policy).await;
        assert_eq!(valid.reason, reason, "{}", valid.message);
        for part in [path, why, "nothing is changed on any node"] {
            assert!(valid.message.contains(part), "{policy}: {}", valid.message);
        }
    }
    // Also not on the node whose GPU has MIG, while another of the same policy has none.
    for node in ["large", "zone", "some", "none", "later", "unlike"] {
        scene.wait_reason(node, "PolicyInvalid").await;
    }
    scene.quiet().await;
    let mut writes = scene.operator_writes(mark).await;
    writes.retain(|write| write.object.subresource != "status");
    assert!(writes.is_empty(), "{}", told(&writes));
    for node in ["large", "zone", "some", "later", "unlike"] {
        assert!(scene.slices(node).is_empty(), "{node}");
    }
}
