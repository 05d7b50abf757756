//! Tables over both questions; here, what they share.

mod differences;
mod mps;
mod sentences;

use crds::gpu_node::{
    GpuStatus, GpuTarget, Holder, MigInstance, MigMode, MigModeStatus, MigTarget, PlacedProfile,
    SharingTarget, Target,
};
use crds::policy::StrategyType;

const GPU: &str = "GPU-a";

/// A GPU whose instances, given by profile, start and size, have the UUIDs `MIG-<start>`.
fn gpu(mode: MigMode, instances: &[(&str, i32, i32)]) -> GpuStatus {
    let instance = |&(profile, start, size): &(&str, i32, i32)| MigInstance {
        profile: profile.to_owned(),
        start,
        size,
        uuid: Some(format!("MIG-{start}")),
        parts: Vec::new(),
        owned: true,
    };
    GpuStatus {
        index: 0,
        uuid: GPU.to_owned(),
        product: "NVIDIA A100-SXM4-40GB".to_owned(),
        memory_mib: 40960,
        compute_capability: None,
        mig: MigModeStatus {
            current: mode,
            pending: mode,
        },
        instances: instances.iter().map(instance).collect(),
        profiles: Vec::new(),
        compute_mode: None,
        mps: None,
        holders: Vec::new(),
        processes: Vec::new(),
    }
}

/// Seven of the smallest.
fn seven() -> GpuStatus {
    let instances: Vec<_> = (0..7).map(|start| ("1g.5gb", start, 1)).collect();
    gpu(MigMode::Enabled, &instances)
}

/// `2g.10gb`, two `1g.5gb` and `3g.20gb`.
const MIXED: &[(&str, i32)] = &[("2g.10gb", 0), ("1g.5gb", 2), ("1g.5gb", 3), ("3g.20gb", 4)];

fn holder(pod: &str, container: &str, device: &str) -> Holder {
    Holder {
        namespace: "ml".to_owned(),
        pod: pod.to_owned(),
        container: container.to_owned(),
        device: device.to_owned(),
        resource: String::new(),
    }
}

fn target(mig: MigTarget, replicas: i32) -> Target {
    let gpu = GpuTarget {
        uuid: GPU.to_owned(),
        index: 0,
        mig,
        sharing: SharingTarget {
            r#type: StrategyType::TimeSlicing,
            replicas,
            per_profile: [].into(),
            mps: None,
        },
    };
    Target {
        gpus: vec![gpu],
        ..Target::default()
    }
}

fn slices(places: &[(&str, i32)]) -> Target {
    let place = |&(profile, start): &(&str, i32)| PlacedProfile {
        start,
        profile: profile.to_owned(),
    };
    let mig = MigTarget {
        enabled: true,
        instances: places.iter().map(place).collect(),
    };
    target(mig, 1)
}

fn whole(replicas: i32) -> Target {
    target(MigTarget::default(), replicas)
}
