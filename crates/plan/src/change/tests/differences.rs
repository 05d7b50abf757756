//! What differs, and whom that disturbs.

use crds::gpu_node::{ChangeClass, GpuStatus, Holder, MigMode, Target};
use crds::policy::Advertise;

use super::{GPU, MIXED, gpu, holder, seven, slices, whole};
use crate::change::{Change, between};

fn change(gpu: GpuStatus, target: &Target) -> Change {
    between(&[gpu], target)
}

/// The class, who is affected, and kept, destroyed and created instances of each GPU that changes.
type Told<'a> = (ChangeClass, Vec<&'a str>, Vec<[i32; 3]>);

fn told(change: &Change) -> Told<'_> {
    let numbers = change.gpus.iter().map(|g| [g.kept, g.destroyed, g.created]);
    let affected = change.affected.iter().map(String::as_str);
    (change.class, affected.collect(), numbers.collect())
}

const NOTHING: Told<'_> = (ChangeClass::None, vec![], vec![]);

#[test]
fn nothing_differs_from_a_target_that_is_reached() {
    let mixed = [
        ("2g.10gb", 0, 2),
        ("1g.5gb", 2, 1),
        ("1g.5gb", 3, 1),
        ("3g.20gb", 4, 4),
    ];
    let cases = [
        (gpu(MigMode::Enabled, &mixed), slices(MIXED)),
        (gpu(MigMode::Disabled, &[]), whole(4)),
        (gpu(MigMode::NotSupported, &[]), whole(1)),
        (gpu(MigMode::Enabled, &[]), slices(&[])),
    ];
    for (gpu, target) in cases {
        assert_eq!(told(&change(gpu, &target)), NOTHING);
    }
}

#[test]
fn only_the_instances_that_go_are_affected() {
    let change = change(seven(), &slices(MIXED));
    let affected = vec!["MIG-0", "MIG-1", "MIG-4", "MIG-5", "MIG-6"];
    assert_eq!(
        told(&change),
        (ChangeClass::Devices, affected, vec![[2, 5, 2]])
    );
    let plan = &change.gpus[0];
    assert_eq!(
        (plan.before.as_str(), plan.after.as_str()),
        ("7x1g.5gb", "3g.20gb+2g.10gb+2x1g.5gb")
    );
    assert_eq!(plan.to, slices(MIXED).gpus[0].mig);
    assert_eq!(plan.from.instances.len(), 7);
}

#[test]
fn instances_that_only_come_affect_nobody() {
    let change = change(gpu(MigMode::Enabled, &[("1g.5gb", 2, 1)]), &slices(MIXED));
    assert_eq!(
        told(&change),
        (ChangeClass::Devices, vec![], vec![[1, 0, 3]])
    );
}

#[test]
fn a_switch_of_mig_mode_takes_the_whole_gpu() {
    use MigMode::{Disabled, Enabled};
    let cases = [
        (Disabled, Disabled, slices(MIXED), [0, 0, 4]),
        (Disabled, Enabled, slices(MIXED), [0, 0, 4]),
        (Enabled, Enabled, whole(1), [0, 1, 0]),
        (Enabled, Disabled, whole(1), [0, 1, 0]),
    ];
    for (current, pending, target, numbers) in cases {
        let on = current == Enabled;
        let mut gpu = gpu(current, if on { &[("1g.5gb", 0, 1)] } else { &[] });
        gpu.mig.pending = pending;
        // A device of which the inventory knows only who holds it.
        gpu.holders = vec![holder("x", "main", "MIG-part")];
        let affected = if on {
            vec![GPU, "MIG-0", "MIG-part"]
        } else {
            vec![GPU, "MIG-part"]
        };
        assert_eq!(
            told(&change(gpu, &target)),
            (ChangeClass::Gpus, affected, vec![numbers]),
            "{current:?}, pending {pending:?}"
        );
    }
}

#[test]
fn to_take_back_a_switch_that_is_pending_disturbs_nobody() {
    use MigMode::{Disabled, Enabled};
    let cases = [
        (gpu(Disabled, &[]), Enabled, whole(1), vec![], [0, 0, 0]),
        (
            gpu(Enabled, &[("1g.5gb", 0, 1)]),
            Disabled,
            slices(&[("1g.5gb", 0)]),
            vec![],
            [1, 0, 0],
        ),
        (
            gpu(Enabled, &[("1g.5gb", 0, 1), ("1g.5gb", 1, 1)]),
            Disabled,
            slices(&[("1g.5gb", 0)]),
            vec!["MIG-1"],
            [1, 1, 0],
        ),
    ];
    for (mut gpu, pending, target, affected, numbers) in cases {
        gpu.mig.pending = pending;
        gpu.holders = vec![holder("x", "main", GPU), holder("y", "main", "MIG-0")];
        let name = format!("{gpu:?}");
        assert_eq!(
            told(&change(gpu, &target)),
            (ChangeClass::Devices, affected, vec![numbers]),
            "{name}"
        );
    }
}

#[test]
fn an_instance_without_a_whole_compute_instance_is_made_anew() {
    let mut gpu = gpu(MigMode::Enabled, &[("1g.5gb", 2, 1), ("3g.20gb", 4, 4)]);
    gpu.instances[1].uuid = None;
    gpu.instances[1].parts = vec!["MIG-part".to_owned(), "MIG-free".to_owned()];
    gpu.holders = vec![
        holder("x", "main", "MIG-part"),
        holder("y", "main", "MIG-2"),
    ];
    let target = slices(&[("1g.5gb", 2), ("3g.20gb", 4)]);
    assert_eq!(
        told(&change(gpu, &target)),
        (
            ChangeClass::Devices,
            vec!["MIG-free", "MIG-part"],
            vec![[1, 1, 1]]
        )
    );
}

#[test]
fn a_gpu_with_more_pods_than_may_share_it_is_emptied() {
    let shared = |pods: &[&str]| {
        let mut gpu = gpu(MigMode::Disabled, &[]);
        gpu.holders = pods.iter().map(|pod| holder(pod, "main", GPU)).collect();
        gpu.holders.push(holder(pods[0], "sidecar", GPU));
        gpu
    };
    let emptied = (ChangeClass::Gpus, vec![GPU], vec![[0, 0, 0]]);
    assert_eq!(told(&change(shared(&["a", "b", "c"]), &whole(2))), emptied);
    assert_eq!(told(&change(shared(&["a", "b"]), &whole(2))), NOTHING);
    assert_eq!(told(&change(shared(&["a", "b"]), &whole(1))), emptied);
    assert_eq!(told(&change(shared(&["a"]), &whole(1))), NOTHING);
}

#[test]
fn a_slice_with_more_pods_than_may_share_it_is_emptied_and_the_others_are_not() {
    let mut gpu = seven();
    gpu.holders = vec![
        holder("a", "main", "MIG-2"),
        holder("b", "main", "MIG-2"),
        holder("c", "main", "MIG-3"),
    ];
    let same: Vec<_> = (0..7).map(|start| ("1g.5gb", start)).collect();
    assert_eq!(
        told(&change(gpu.clone(), &slices(&same))),
        (ChangeClass::Gpus, vec!["MIG-2"], vec![[7, 0, 0]])
    );
    let mut two = slices(&same);
    two.gpus[0].sharing.replicas = 2;
    assert_eq!(told(&change(gpu.clone(), &two)), NOTHING);
    // Both leave anyhow: nothing is crowded but what goes.
    let gone = change(gpu, &slices(&[("1g.5gb", 3)]));
    assert_eq!(gone.class, ChangeClass::Devices);
    assert!(gone.affected.contains("MIG-2") && !gone.affected.contains("MIG-3"));
}

#[test]
fn each_profile_has_its_own_number_of_pods_that_may_share_a_slice() {
    let on = |gpu: GpuStatus, pods: &[&str], device: &str| {
        let mut gpu = gpu;
        gpu.holders
            .extend(pods.iter().map(|pod| holder(pod, "main", device)));
        gpu
    };
    let mixed = [("1g.5gb", 0, 1), ("1g.5gb", 1, 1), ("3g.20gb", 4, 4)];
    let gpu = on(gpu(MigMode::Enabled, &mixed), &["a", "b", "c"], "MIG-0");
    let gpu = on(gpu, &["d", "e", "f"], "MIG-4");
    let mut target = slices(&[("1g.5gb", 0), ("1g.5gb", 1), ("3g.20gb", 4)]);
    let mut emptied = |replicas: i32, small: i32| {
        target.gpus[0].sharing.replicas = replicas;
        target.gpus[0].sharing.per_profile = [("1g.5gb".to_owned(), small)].into();
        let change = change(gpu.clone(), &target);
        let affected = change
            .affected
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>();
        (change.class, affected.join(" "))
    };
    let told = |devices: &str| (ChangeClass::Gpus, devices.to_owned());
    assert_eq!(emptied(2, 4), told("MIG-4"));
    assert_eq!(emptied(4, 2), told("MIG-0"));
    assert_eq!(emptied(2, 2), told("MIG-0 MIG-4"));
    assert_eq!(emptied(3, 3), (ChangeClass::None, String::new()));
}

/// The kubelet and the scheduler count by resource: one that has another name is all free to them.
#[test]
fn a_device_that_a_pod_has_under_another_name_is_emptied() {
    let named = |device: &str, resource: &str| {
        let mut gpu = seven();
        let mut holder = holder("a", "main", device);
        resource.clone_into(&mut holder.resource);
        gpu.holders = vec![holder];
        gpu
    };
    let every: Vec<_> = (0..7).map(|start| ("1g.5gb", start)).collect();
    let target = |advertise: Advertise, replicas: i32, rename: bool| {
        let mut target = slices(&every);
        target.advertise = advertise;
        target.replicas.rename = rename;
        target.gpus[0].sharing.replicas = replicas;
        target
    };
    let (own, gpu) = ("nvidia.com/mig-1g.5gb", "nvidia.com/gpu");
    let (mixed, single) = (Advertise::Mixed, Advertise::Single);
    let emptied = (ChangeClass::Gpus, vec!["MIG-2"], vec![[7, 0, 0]]);
    for (has, target, stays) in [
        (own, target(mixed, 1, false), true),
        (own, target(mixed, 2, false), true),
        (own, target(mixed, 2, true), false),
        (own, target(single, 1, false), false),
        (gpu, target(mixed, 1, false), false),
        (gpu, target(single, 1, false), true),
        (gpu, target(single, 2, false), true),
        (gpu, target(single, 2, true), false),
        ("nvidia.com/gpu.shared", target(single, 2, true), true),
        ("nvidia.com/mig-1g.5gb.shared", target(mixed, 2, true), true),
        (
            "nvidia.com/mig-1g.5gb.shared",
            target(mixed, 1, true),
            false,
        ),
        // An agent that does not say.
        ("", target(single, 1, false), true),
    ] {
        let expected = if stays { NOTHING } else { emptied.clone() };
        assert_eq!(
            told(&change(named("MIG-2", has), &target)),
            expected,
            "{has}"
        );
    }
}

#[test]
fn each_device_that_stays_and_must_be_emptied_comes_with_the_reason() {
    let on = |mut gpu: GpuStatus, holders: Vec<Holder>| {
        gpu.holders = holders;
        gpu
    };
    let places: Vec<_> = (0..7).map(|start| ("1g.5gb", start)).collect();
    let a = |device: &str, resource: &str| Holder {
        resource: resource.to_owned(),
        ..holder("a", "main", device)
    };
    let mut single = slices(&places);
    single.advertise = Advertise::Single;
    for (gpu, target, why) in [
        (
            on(
                gpu(MigMode::Disabled, &[]),
                vec![a(GPU, "nvidia.com/gpu"), holder("b", "main", GPU)],
            ),
            whole(1),
            "2 pods are on GPU 0, and 1 may be",
        ),
        (
            on(
                seven(),
                vec![
                    a("MIG-2", "nvidia.com/mig-1g.5gb"),
                    holder("b", "main", "MIG-2"),
                ],
            ),
            slices(&places),
            "2 pods are on 1g.5gb at slice 2 of GPU 0, and 1 may be",
        ),
        (
            on(seven(), vec![a("MIG-2", "nvidia.com/mig-1g.5gb")]),
            single,
            "ml/a has 1g.5gb at slice 2 of GPU 0 as nvidia.com/mig-1g.5gb, and would share it with whoever gets it as \
             nvidia.com/gpu",
        ),
    ] {
        assert_eq!(change(gpu, &target).emptied, [why]);
    }
    let gone = on(seven(), vec![a("MIG-2", "nvidia.com/gpu")]);
    assert!(change(gone, &slices(&[("3g.20gb", 4)])).emptied.is_empty());
}

#[test]
fn what_others_made_stays_beside_unless_it_is_adopted() {
    let mut gpu = gpu(MigMode::Enabled, &[("1g.5gb", 2, 1), ("3g.20gb", 4, 4)]);
    gpu.instances[1].owned = false;
    let mut target = slices(&[("1g.5gb", 2)]);
    assert_eq!(told(&change(gpu.clone(), &target)), NOTHING);

    let beside = change(gpu.clone(), &slices(&[("2g.10gb", 0), ("1g.5gb", 2)]));
    assert_eq!(
        told(&beside),
        (ChangeClass::Devices, vec![], vec![[2, 0, 1]])
    );
    assert_eq!(beside.gpus[0].after, "3g.20gb+2g.10gb+1g.5gb");

    target.adopt = true;
    assert_eq!(
        told(&change(gpu, &target)),
        (ChangeClass::Devices, vec!["MIG-4"], vec![[1, 1, 0]])
    );
}

#[test]
fn the_class_of_a_node_is_that_of_its_most_disturbed_gpu() {
    let named = |uuid: &str, gpu: GpuStatus| GpuStatus {
        uuid: uuid.to_owned(),
        ..gpu
    };
    let gpus = [
        named("GPU-slices", seven()),
        named("GPU-switch", gpu(MigMode::Enabled, &[])),
        named("GPU-same", gpu(MigMode::Disabled, &[])),
        named("GPU-not-named", gpu(MigMode::Enabled, &[])),
    ];
    let wanted = [
        ("GPU-switch", whole(1)),
        ("GPU-slices", slices(&[])),
        ("GPU-same", whole(1)),
        ("GPU-gone", whole(1)),
    ];
    let entries = wanted.into_iter().map(|(uuid, target)| {
        let mut gpu = target.gpus[0].clone();
        gpu.uuid = uuid.to_owned();
        gpu
    });
    let target = Target {
        gpus: entries.collect(),
        ..Target::default()
    };
    let change = between(&gpus, &target);
    let changed: Vec<_> = change.gpus.iter().map(|gpu| gpu.uuid.as_str()).collect();
    assert_eq!(
        (change.class, changed),
        (ChangeClass::Gpus, vec!["GPU-switch", "GPU-slices"])
    );
    assert_eq!(change.affected.len(), 8);
}
