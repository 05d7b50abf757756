//! What the inventory says about who is on an instance.

use crds::gpu_node::{GpuProcess, GpuStatus, Holder, MigInstance, MigMode, MigModeStatus};

use super::set;
use crate::layout::{Occupancy, existing};

const GPU: &str = "GPU-0";

/// A GPU with `3g.20gb` at 0 (`MIG-a`) and at 4, the latter divided: `MIG-part` is in it.
fn gpu() -> GpuStatus {
    let instance = |start, uuid: Option<&str>| MigInstance {
        profile: "3g.20gb".to_owned(),
        start,
        size: 4,
        uuid: uuid.map(str::to_owned),
        parts: if uuid.is_none() {
            vec!["MIG-part".to_owned()]
        } else {
            Vec::new()
        },
        owned: true,
    };
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
        instances: vec![instance(0, Some("MIG-a")), instance(4, None)],
        profiles: Vec::new(),
        compute_mode: None,
        mps: None,
        holders: Vec::new(),
        processes: Vec::new(),
    }
}

fn holder(pod: &str, device: &str) -> Holder {
    Holder {
        namespace: "ml".to_owned(),
        pod: pod.to_owned(),
        container: "main".to_owned(),
        device: device.to_owned(),
        resource: String::new(),
    }
}

fn process(pid: i64, device: &str) -> GpuProcess {
    GpuProcess {
        pid,
        device: device.to_owned(),
    }
}

fn pods(names: &[&str]) -> Occupancy {
    Occupancy::Pods(set(names))
}

fn unmovable(why: &str) -> Occupancy {
    Occupancy::Unmovable(why.to_owned())
}

fn occupancies(holders: Vec<Holder>, processes: Vec<GpuProcess>) -> [Occupancy; 2] {
    let gpu = GpuStatus {
        holders,
        processes,
        ..gpu()
    };
    let all = existing(&gpu, false).into_iter().map(|e| e.occupancy);
    all.collect::<Vec<_>>().try_into().unwrap()
}

#[test]
fn only_an_instance_with_a_device_is_whole() {
    let whole: Vec<_> = existing(&gpu(), false).iter().map(|e| e.whole).collect();
    assert_eq!(whole, [true, false]);
}

#[test]
fn pods_are_found_by_the_device_that_they_hold() {
    let two = vec![
        holder("x", "MIG-a"),
        holder("y", "MIG-a"),
        holder("x", "MIG-a"),
    ];
    assert_eq!(
        occupancies(two, vec![]),
        [pods(&["ml/x", "ml/y"]), Occupancy::Free]
    );
    let part = vec![holder("z", "MIG-part")];
    assert_eq!(
        occupancies(part, vec![]),
        [Occupancy::Free, pods(&["ml/z"])]
    );
    // A device that the inventory lacks is gone.
    let gone = vec![holder("z", "MIG-gone")];
    assert_eq!(
        occupancies(gone, vec![]),
        [Occupancy::Free, Occupancy::Free]
    );
}

#[test]
fn a_process_counts_as_its_pods_and_without_a_pod_nobody_can_move_it() {
    let stray = "in use by process 7, which belongs to no pod; end it on the node";
    let on_a = || vec![process(7, "MIG-a")];
    assert_eq!(
        occupancies(vec![holder("x", "MIG-a")], on_a()),
        [pods(&["ml/x"]), Occupancy::Free]
    );
    assert_eq!(
        occupancies(vec![], on_a()),
        [unmovable(stray), Occupancy::Free]
    );
}

#[test]
fn a_process_that_may_be_anywhere_counts_everywhere_unless_it_may_be_a_pods() {
    let stray = unmovable("in use by process 7, which belongs to no pod; end it on the node");
    let anywhere = || vec![process(7, GPU)];
    assert_eq!(occupancies(vec![], anywhere()), [stray.clone(), stray]);
    assert_eq!(
        occupancies(vec![holder("x", "MIG-a")], anywhere()),
        [pods(&["ml/x"]), Occupancy::Free]
    );
}

#[test]
fn what_others_made_is_theirs_unless_it_is_adopted() {
    let mut gpu = gpu();
    gpu.instances[0].owned = false;
    gpu.instances[1].owned = false;
    gpu.holders = vec![holder("x", "MIG-a")];
    let by_others = "made by somebody else; set mig.adopt to let operations destroy it";
    let occupancies = |adopt| {
        existing(&gpu, adopt)
            .into_iter()
            .map(|e| e.occupancy)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        occupancies(false),
        [
            unmovable(&format!("held by ml/x, {by_others}")),
            unmovable(by_others)
        ]
    );
    assert_eq!(occupancies(true), [pods(&["ml/x"]), Occupancy::Free]);
}
