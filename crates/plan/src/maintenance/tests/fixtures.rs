//! One node with one GPU, and what may be wanted of it.

use crds::GpuSharingPolicySpec;
use crds::gpu_node::{
    GpuStatus, GpuTarget, Holder, MigInstance, MigMode, MigModeStatus, MigTarget, PlacedProfile,
    PolicyReference, SharingTarget, Target,
};
use crds::policy::StrategyType;
use jiff::Timestamp;

use crate::change;
use crate::guarantees;
use crate::resolve::{Goal, Problem, ProblemReason, Wish};

pub(super) const GPU: &str = "GPU-0";
pub(super) const POLICY: &str = "inference";

/// The layout that the world begins with: slices at 0, 1 and 2.
pub(super) const BEFORE: &[(&str, i32)] = &[("1g.5gb", 0), ("1g.5gb", 1), ("2g.10gb", 2)];
/// Keeps the slice at 0.
pub(super) const AFTER: &[(&str, i32)] = &[("1g.5gb", 0), ("3g.20gb", 4)];
/// Keeps nothing.
pub(super) const OTHER: &[(&str, i32)] = &[("7g.40gb", 0)];

pub(super) fn start() -> Timestamp {
    "2026-03-01T02:00:00Z".parse().unwrap()
}

pub(super) fn size(profile: &str) -> i32 {
    match profile {
        "1g.5gb" => 1,
        "2g.10gb" => 2,
        "3g.20gb" => 4,
        _ => 8,
    }
}

pub(super) fn instance(profile: &str, start: i32, uuid: &str) -> MigInstance {
    MigInstance {
        profile: profile.to_owned(),
        start,
        size: size(profile),
        uuid: Some(uuid.to_owned()),
        parts: Vec::new(),
        owned: true,
    }
}

pub(super) fn gpu(layout: &[(&str, i32)]) -> GpuStatus {
    GpuStatus {
        index: 0,
        uuid: GPU.to_owned(),
        product: "NVIDIA A100-SXM4-40GB".to_owned(),
        memory_mib: 40960,
        compute_capability: None,
        mig: MigModeStatus {
            current: MigMode::Enabled,
            pending: MigMode::Enabled,
        },
        instances: layout
            .iter()
            .map(|(profile, start)| instance(profile, *start, &format!("MIG-{start}")))
            .collect(),
        profiles: Vec::new(),
        compute_mode: None,
        holders: Vec::new(),
        processes: Vec::new(),
    }
}

pub(super) fn holder(pod: &str, device: &str) -> Holder {
    Holder {
        namespace: "default".to_owned(),
        pod: pod.to_owned(),
        container: "main".to_owned(),
        device: device.to_owned(),
        resource: String::new(),
    }
}

pub(super) fn target(layout: &[(&str, i32)]) -> Target {
    Target {
        gpus: vec![GpuTarget {
            uuid: GPU.to_owned(),
            index: 0,
            mig: MigTarget {
                enabled: true,
                instances: layout
                    .iter()
                    .map(|(profile, start)| PlacedProfile {
                        start: *start,
                        profile: (*profile).to_owned(),
                    })
                    .collect(),
            },
            sharing: SharingTarget {
                r#type: StrategyType::Mig,
                replicas: 1,
                per_profile: [].into(),
            },
        }],
        ..Target::default()
    }
}

pub(super) fn reference(generation: i64) -> PolicyReference {
    PolicyReference {
        name: POLICY.to_owned(),
        uid: "policy-uid".to_owned(),
        generation,
    }
}

pub(super) fn goal(gpus: &[GpuStatus], layout: &[(&str, i32)], generation: i64) -> Wish {
    let target = target(layout);
    Wish::Goal(Goal {
        policy: reference(generation),
        strategy: "MIG".to_owned(),
        change: change::between(gpus, &target),
        guarantees: guarantees::labels(&target, POLICY),
        target,
    })
}

pub(super) fn policy() -> GpuSharingPolicySpec {
    serde_json::from_value(serde_json::json!({"strategy": {"type": "Exclusive"}})).unwrap()
}

pub(super) fn problem() -> Problem {
    Problem {
        reason: ProblemReason::NoPlacement,
        path: "spec.strategy.mig.layout".to_owned(),
        message: "this layout does not fit".to_owned(),
    }
}
