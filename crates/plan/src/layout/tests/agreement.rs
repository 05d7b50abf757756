//! The search and the comparison with a target agree on what goes and what comes.

use std::collections::BTreeSet;

use crds::gpu_node::{
    ChangeClass, GpuStatus, GpuTarget, Holder, MigInstance, MigMode, MigModeStatus, MigTarget,
    SharingTarget, Target,
};
use crds::policy::StrategyType;
use proptest::prelude::*;

use super::cases::{Case, case};
use crate::change::{between, is_reached};
use crate::layout::{Existing, Layout, Occupancy, existing, search};

/// The GPU of a case; what is unmovable there has been made by somebody else here.
fn gpu(case: &Case) -> GpuStatus {
    let instances: Vec<_> = case.existing.iter().map(instance).collect();
    let holders = case.existing.iter().flat_map(holders).collect();
    GpuStatus {
        index: 0,
        uuid: "GPU-0".to_owned(),
        product: "any".to_owned(),
        memory_mib: 1,
        compute_capability: None,
        mig: MigModeStatus {
            current: MigMode::Enabled,
            pending: MigMode::Enabled,
        },
        instances,
        profiles: case.offers.clone(),
        compute_mode: None,
        mps: None,
        holders,
        processes: Vec::new(),
    }
}

fn uuid(start: i32) -> String {
    format!("MIG-{start}")
}

fn instance(existing: &Existing) -> MigInstance {
    MigInstance {
        profile: existing.profile.clone(),
        start: existing.start,
        size: existing.size,
        uuid: existing.whole.then(|| uuid(existing.start)),
        parts: Vec::new(),
        owned: !matches!(existing.occupancy, Occupancy::Unmovable(_)),
    }
}

fn holders(existing: &Existing) -> Vec<Holder> {
    let Occupancy::Pods(pods) = &existing.occupancy else {
        return Vec::new();
    };
    let holder = |pod: &String| Holder {
        namespace: "ns".to_owned(),
        pod: pod.clone(),
        container: "main".to_owned(),
        device: uuid(existing.start),
        resource: String::new(),
    };
    pods.iter().map(holder).collect()
}

fn target(layout: &Layout) -> Target {
    let gpu = GpuTarget {
        uuid: "GPU-0".to_owned(),
        index: 0,
        mig: MigTarget {
            enabled: true,
            instances: layout.instances.clone(),
        },
        sharing: SharingTarget {
            r#type: StrategyType::Mig,
            replicas: 48,
            per_profile: [].into(),
            mps: None,
        },
    };
    Target {
        gpus: vec![gpu],
        ..Target::default()
    }
}

/// The GPU after an operation has done what the layout says.
fn made(gpu: &GpuStatus, layout: &Layout) -> GpuStatus {
    let keeps = |i: &&MigInstance| !i.owned;
    let wanted = |i: &MigInstance| {
        let mut instances = layout.instances.iter();
        instances.any(|w| w.start == i.start && w.profile == i.profile)
    };
    let others = gpu.instances.iter().filter(keeps).filter(|i| !wanted(i));
    let mut instances: Vec<_> = others.cloned().collect();
    instances.extend(layout.instances.iter().map(|placed| MigInstance {
        profile: placed.profile.clone(),
        start: placed.start,
        size: 1,
        uuid: Some(format!("MIG-new-{}", placed.start)),
        parts: Vec::new(),
        owned: true,
    }));
    GpuStatus {
        instances,
        holders: Vec::new(),
        ..gpu.clone()
    }
}

proptest! {
    #[test]
    fn what_the_search_destroys_and_creates_is_what_differs(case in case()) {
        let gpu = gpu(&case);
        let Ok(layout) = search(&gpu.profiles, &existing(&gpu, false), &case.wanted) else { return Ok(()) };
        let target = target(&layout);
        let change = between(std::slice::from_ref(&gpu), &target);

        let [_, destroyed, created] = super::numbers(&layout);
        let moves = destroyed + created > 0;
        prop_assert_eq!(change.class, if moves { ChangeClass::Devices } else { ChangeClass::None });
        let numbers: Vec<_> = change.gpus.iter().map(|gpu| (gpu.destroyed, gpu.created)).collect();
        let both = |n: usize| i32::try_from(n).unwrap();
        let expected = moves.then(|| (both(destroyed), both(created)));
        prop_assert_eq!(numbers, Vec::from_iter(expected));

        let leaves = |holder: &&Holder| change.affected.contains(&holder.device);
        let leaving = gpu.holders.iter().filter(leaves);
        let leaving: BTreeSet<_> = leaving.map(|h| format!("{}/{}", h.namespace, h.pod)).collect();
        prop_assert_eq!(&leaving, &layout.evicted);

        let made = [made(&gpu, &layout)];
        prop_assert_eq!(is_reached(&made, &target), Ok(()));
        prop_assert_eq!(between(&made, &target).class, ChangeClass::None);
        prop_assert_eq!(is_reached(&[gpu], &target).is_ok(), !moves);
    }
}
