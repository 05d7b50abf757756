//! The slices of the one GPU that each node has.

use std::collections::BTreeMap;
use std::fmt;

use crds::gpu_node::{
    GpuStatus, GpuTarget, Holder, MigInstance, MigMode, MigModeStatus, MigTarget, PlacedProfile,
    SharingTarget, Target,
};
use crds::policy::StrategyType;
use plan::profile;

/// Some of the slices that there can be on the GPU.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Slices(u8);

/// Profile, first memory slice, number of memory slices.
const KNOWN: [(&str, i32, i32); 5] = [
    ("1g.5gb", 0, 1),
    ("1g.5gb", 1, 1),
    ("2g.10gb", 2, 2),
    ("3g.20gb", 4, 4),
    ("2g.10gb", 4, 2),
];

const GPU: &str = "GPU-0";

impl Slices {
    /// None.
    pub const NONE: Self = Self(0);
    /// The slice that every target keeps, with a pod on it.
    pub const KEPT: Self = Self(1);
    /// The slice that the late pod takes.
    pub const LATE: Self = Self(2);
    /// The slice that the victim takes.
    pub const VICTIMS: Self = Self(4);
    /// What is there in the beginning.
    pub const BEFORE: Self = Self(1 | 2 | 4);
    /// What the policy asks for then.
    pub const AFTER: Self = Self(1 | 8);
    /// What it may come to ask for.
    pub const OTHER: Self = Self(1 | 16);
    /// None, and the GPU is not in MIG mode: it is there as a whole.
    pub const WHOLE: Self = Self(32);

    /// Whether all of these are among them.
    pub const fn has(self, some: Self) -> bool {
        self.0 & some.0 == some.0
    }

    /// Those in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Those that are not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    fn each(self) -> impl Iterator<Item = (&'static str, i32, i32)> {
        let all = KNOWN.into_iter().enumerate();
        all.filter(move |(index, _)| self.0 & (1 << index) != 0)
            .map(|(_, slice)| slice)
    }

    /// Whether the GPU is not in MIG mode.
    fn is_whole(self) -> bool {
        self.has(Self::WHOLE)
    }

    /// The same slices, from a target.
    pub fn of(target: &Target) -> Self {
        if target.gpus.iter().any(|gpu| !gpu.mig.enabled) {
            return Self::WHOLE;
        }
        let places = target.gpus.iter().flat_map(|gpu| &gpu.mig.instances);
        let bit = |place: &PlacedProfile| {
            let mut known = KNOWN.iter();
            let index = known
                .position(|(profile, start, _)| (*profile, *start) == (&place.profile, place.start))
                .expect("a slice that is known here");
            1 << index
        };
        Self(places.map(bit).sum())
    }

    /// A target of these slices.
    pub fn target(self) -> Target {
        let place = |(profile, start, _): (&str, i32, i32)| PlacedProfile {
            start,
            profile: profile.to_owned(),
        };
        Target {
            gpus: vec![GpuTarget {
                uuid: GPU.to_owned(),
                index: 0,
                mig: MigTarget {
                    enabled: !self.is_whole(),
                    instances: self.each().map(place).collect(),
                },
                sharing: if self.is_whole() {
                    SharingTarget::exclusive()
                } else {
                    SharingTarget {
                        r#type: StrategyType::Mig,
                        ..SharingTarget::exclusive()
                    }
                },
            }],
            ..Target::default()
        }
    }

    /// The GPU with these slices, of which some are held: by pod and slice.
    pub fn gpu(self, holders: &[(&str, Self)]) -> GpuStatus {
        let instance = |(profile, start, size): (&str, i32, i32)| MigInstance {
            profile: profile.to_owned(),
            start,
            size,
            uuid: Some(uuid(profile, start)),
            parts: Vec::new(),
            owned: true,
        };
        let holder = |pod: &str, (profile, start, _): (&str, i32, i32)| Holder {
            namespace: "default".to_owned(),
            pod: pod.to_owned(),
            container: "main".to_owned(),
            device: uuid(profile, start),
            resource: String::new(),
        };
        let each = holders.iter();
        let mode = if self.is_whole() {
            MigMode::Disabled
        } else {
            MigMode::Enabled
        };
        let holders = each.flat_map(|(pod, slices)| slices.each().map(|slice| holder(pod, slice)));
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
            instances: self.each().map(instance).collect(),
            profiles: Vec::new(),
            compute_mode: None,
            mps: None,
            holders: holders.collect(),
            processes: Vec::new(),
        }
    }

    /// How the device plugin advertises them.
    pub fn resources(self) -> BTreeMap<String, i64> {
        let mut resources = BTreeMap::new();
        if self.is_whole() {
            resources.insert("nvidia.com/gpu".to_owned(), 1);
        }
        for (profile, ..) in self.each() {
            *resources.entry(profile::resource(profile)).or_default() += 1;
        }
        resources
    }
}

/// A slice that is made anew at its place has the same UUID here: nobody holds one that was destroyed, which is a rule.
fn uuid(profile: &str, start: i32) -> String {
    format!("MIG-{profile}-{start}")
}

impl fmt::Debug for Slices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_whole() {
            return write!(f, "[whole]");
        }
        let each = self.each();
        f.debug_list()
            .entries(each.map(|(profile, start, _)| format!("{profile}@{start}")))
            .finish()
    }
}
