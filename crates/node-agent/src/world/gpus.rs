//! GPUs as they come, and how to say what they are cut into.

use crds::gpu_node::{
    GpuStatus, GpuTarget, Holder, MigInstance, MigMode, MigModeStatus, MigTarget, MpsTarget,
    PlacedProfile, Placement, ProfileOffer, SharingTarget, Target,
};
use crds::policy::StrategyType;

/// Name, compute slices, memory slices, starts: an A100 with 40 GB.
const OFFERS: [(&str, i32, i32, &[i32]); 5] = [
    ("1g.5gb", 1, 1, &[0, 1, 2, 3, 4, 5, 6]),
    ("2g.10gb", 2, 2, &[0, 2, 4]),
    ("3g.20gb", 3, 4, &[0, 4]),
    ("4g.20gb", 4, 4, &[0]),
    ("7g.40gb", 7, 8, &[0]),
];

/// An A100 with MIG mode on and nothing on it.
pub fn a100(uuid: &str) -> GpuStatus {
    let offer = |(number, (name, slices, size, starts)): (usize, &(&str, i32, i32, &[i32]))| {
        let placements = starts.iter().map(|&start| Placement { start, size: *size });
        ProfileOffer {
            name: (*name).to_owned(),
            id: i32::try_from(number).unwrap(),
            slices: *slices,
            max: i32::try_from(starts.len()).unwrap(),
            memory_mib: 4864,
            placements: placements.collect(),
        }
    };
    GpuStatus {
        product: "NVIDIA A100-SXM4-40GB".to_owned(),
        profiles: OFFERS.iter().enumerate().map(offer).collect(),
        mig: MigModeStatus {
            current: MigMode::Enabled,
            pending: MigMode::Enabled,
        },
        ..t4(uuid)
    }
}

/// A GPU without MIG.
pub fn t4(uuid: &str) -> GpuStatus {
    GpuStatus {
        index: 0,
        uuid: uuid.to_owned(),
        product: "Tesla T4".to_owned(),
        memory_mib: 15360,
        compute_capability: None,
        mig: MigModeStatus {
            current: MigMode::NotSupported,
            pending: MigMode::NotSupported,
        },
        instances: Vec::new(),
        profiles: Vec::new(),
        compute_mode: None,
        mps: None,
        holders: Vec::new(),
        processes: Vec::new(),
    }
}

/// The GPU with these instances of ours, each a device `MIG-<uuid>-<start>`.
pub fn cut(mut gpu: GpuStatus, places: &[(&str, i32)]) -> GpuStatus {
    for (profile, start) in places {
        gpu.instances.push(MigInstance {
            profile: (*profile).to_owned(),
            start: *start,
            size: size(profile),
            uuid: Some(format!("MIG-{}-{start}", gpu.uuid)),
            parts: Vec::new(),
            owned: true,
        });
    }
    gpu
}

fn size(profile: &str) -> i32 {
    let found = OFFERS.iter().find(|(name, ..)| *name == profile);
    found.map(|(_, _, size, _)| *size).unwrap()
}

/// The instance of the GPU that stands there.
pub fn at(gpu: &mut GpuStatus, start: i32) -> &mut MigInstance {
    let mut instances = gpu.instances.iter_mut();
    instances.find(|it| it.start == start).unwrap()
}

pub fn place(profile: &str, start: i32) -> PlacedProfile {
    PlacedProfile {
        start,
        profile: profile.to_owned(),
    }
}

/// The GPU should have exactly these instances; none: no MIG.
pub fn target(uuid: &str, places: &[(&str, i32)]) -> Target {
    let instances = places.iter().map(|(profile, start)| place(profile, *start));
    Target {
        gpus: vec![GpuTarget {
            uuid: uuid.to_owned(),
            index: 0,
            mig: MigTarget {
                enabled: !places.is_empty(),
                instances: instances.collect(),
            },
            sharing: SharingTarget::exclusive(),
        }],
        ..Target::default()
    }
}

/// The GPU should be whole, and served through MPS for so many.
pub fn served(uuid: &str, replicas: i32) -> Target {
    let mut target = target(uuid, &[]);
    target.gpus[0].sharing = SharingTarget {
        r#type: StrategyType::Mps,
        replicas,
        per_profile: [].into(),
        mps: Some(MpsTarget {
            active_thread_percentage: 100 / replicas,
            memory_limit_mib: Some(15_360 / i64::from(replicas)),
        }),
    };
    target
}

/// Pod `default/<pod>` on a device.
pub fn holder(pod: &str, device: &str) -> Holder {
    Holder {
        namespace: "default".to_owned(),
        pod: pod.to_owned(),
        container: "main".to_owned(),
        device: device.to_owned(),
        resource: String::new(),
    }
}
