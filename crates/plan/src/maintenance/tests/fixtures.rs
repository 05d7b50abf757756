//! One node with one GPU, and what may be wanted of it.

use crds::GpuSharingPolicySpec;
use crds::gpu_node::{
    GpuStatus, GpuTarget, Holder, MigInstance, MigMode, MigModeStatus, MigTarget, MpsTarget,
    PlacedProfile, PolicyReference, SharingTarget, Target,
};
use crds::policy::StrategyType;
use jiff::Timestamp;

use crate::change;
use crate::guarantees;
use crate::maintenance::Refresh;
use crate::neighbours::{GpuClients, Neighbours};
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
        mps: None,
        holders: Vec::new(),
        processes: Vec::new(),
    }
}

pub(super) fn holder(namespace: &str, pod: &str, device: &str) -> Holder {
    Holder {
        namespace: namespace.to_owned(),
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
                mps: None,
            },
        }],
        ..Target::default()
    }
}

/// A node of NVIDIA's GPU operator, on which two programs keep the GPUs open.
pub(super) fn neighbours() -> Neighbours {
    let running = [
        "nvidia.com/gpu.deploy.dcgm",
        "nvidia.com/gpu.deploy.device-plugin",
    ];
    Neighbours {
        clients: GpuClients {
            running: running.map(str::to_owned).into(),
            ..GpuClients::default()
        },
        ..Neighbours::default()
    }
}

pub(super) fn refresh() -> Refresh {
    Refresh {
        namespace: "gpu-operator".to_owned(),
        labels: vec![("app".to_owned(), "gpu-feature-discovery".to_owned())],
    }
}

pub(super) fn reference(generation: i64) -> PolicyReference {
    PolicyReference {
        name: POLICY.to_owned(),
        uid: "policy-uid".to_owned(),
        generation,
    }
}

/// The GPU whole, and served through MPS.
pub(super) fn served() -> Target {
    let mut served = target(&[]);
    served.gpus[0].mig.enabled = false;
    served.gpus[0].sharing = SharingTarget {
        r#type: StrategyType::Mps,
        replicas: 4,
        per_profile: [].into(),
        mps: Some(MpsTarget {
            active_thread_percentage: 25,
            memory_limit_mib: Some(10_240),
        }),
    };
    served
}

pub(super) fn goal(gpus: &[GpuStatus], layout: &[(&str, i32)], policy: PolicyReference) -> Wish {
    goal_for(gpus, target(layout), policy)
}

pub(super) fn goal_for(gpus: &[GpuStatus], target: Target, policy: PolicyReference) -> Wish {
    Wish::Goal(Goal {
        strategy: "MIG".to_owned(),
        change: change::between(gpus, &target),
        guarantees: guarantees::labels(&target, &policy.name),
        policy,
        target,
        is_proved: true,
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
