use crds::gpu_node::{MigTarget, PlacedProfile, SharingTarget};
use crds::policy::{Advertise, StrategyType};

use super::*;

/// What somebody comes to want.
type Word = fn(&mut Target);

fn target(start: i32) -> Target {
    let place = PlacedProfile {
        start,
        profile: "1g.5gb".to_owned(),
    };
    let gpu = GpuTarget {
        uuid: "GPU-0".to_owned(),
        index: 0,
        mig: MigTarget {
            enabled: true,
            instances: vec![place],
        },
        sharing: SharingTarget {
            r#type: StrategyType::Mig,
            replicas: 2,
            per_profile: [].into(),
            mps: None,
        },
    };
    Target {
        gpus: vec![gpu],
        ..Target::default()
    }
}

#[test]
fn targets_are_alike_if_they_differ_in_places_only() {
    assert!(is_alike(&target(0), &target(3)));
    let changes: [(&str, Word); 8] = [
        ("adopt", |it| it.adopt = true),
        ("rules", |it| it.replicas.rename = true),
        ("names", |it| it.advertise = Advertise::Single),
        ("number of GPUs", |it| it.gpus.clear()),
        ("replicas", |it| it.gpus[0].sharing.replicas = 3),
        ("replicas of a profile", |it| {
            it.gpus[0].sharing.per_profile = [("1g.5gb".to_owned(), 3)].into();
        }),
        ("MIG mode", |it| it.gpus[0].mig.enabled = false),
        ("profiles", |it| {
            "2g.10gb".clone_into(&mut it.gpus[0].mig.instances[0].profile);
        }),
    ];
    for (name, change) in changes {
        let mut other = target(0);
        change(&mut other);
        assert!(!is_alike(&target(0), &other), "{name}");
    }
}
