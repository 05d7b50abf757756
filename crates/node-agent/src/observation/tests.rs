//! Whose a device is, when the driver and the kubelet do not name the same ones.

use crds::gpu_node::GpuStatus;
use gpu::Inventory;

use super::Observation;
use crate::journal::{Making, Record};
use crate::world::{a100, at, cut, holder, place};

fn seen(gpus: Vec<GpuStatus>, devices: &[&str]) -> Observation {
    let holders: Vec<_> = devices.iter().map(|device| holder("a", device)).collect();
    let inventory = Inventory {
        driver_version: "580.95.05".to_owned(),
        gpus,
    };
    let mut record = Record::new();
    record.claim("G", &place("1g.5gb", 1), "first", Making::Filling);
    Observation::new("first".to_owned(), inventory, &holders, None, Some(&record))
}

fn holders(seen: &Observation) -> Vec<Vec<&str>> {
    seen.gpus
        .iter()
        .map(|gpu| gpu.holders.iter().map(|it| it.device.as_str()).collect())
        .collect()
}

#[test]
fn a_holder_stands_at_the_gpu_of_its_device() {
    let gpus = || vec![cut(a100("G"), &[("1g.5gb", 0)]), a100("H")];
    let both = seen(gpus(), &["MIG-G-0", "H"]);
    assert_eq!(holders(&both), [vec!["MIG-G-0"], vec!["H"]]);
}

#[test]
fn a_part_of_an_instance_has_its_holder_and_a_device_that_is_gone_has_none() {
    let seen = seen(vec![divided(0), a100("H")], &["MIG-part", "MIG-gone"]);
    assert_eq!(holders(&seen), [vec!["MIG-part"], vec![]]);
}

#[test]
fn what_the_journal_has_is_ours() {
    let mut gpu = cut(a100("G"), &[("1g.5gb", 0), ("1g.5gb", 1)]);
    gpu.instances.iter_mut().for_each(|it| it.owned = false);
    let seen = seen(vec![gpu], &[]);
    let owned: Vec<_> = seen.gpus[0].instances.iter().map(|it| it.owned).collect();
    assert_eq!(owned, [false, true]);
}

#[test]
fn an_instance_of_ours_that_somebody_has_divided_is_theirs_and_a_half_made_one_is_ours() {
    let owned = |gpu| seen(vec![gpu], &[]).gpus[0].instances[0].owned;
    assert!(!owned(divided(1)));
    let mut half_made = divided(1);
    at(&mut half_made, 1).parts.clear();
    assert!(owned(half_made));
}

/// A GPU with a `1g.5gb` at this place, in which a stranger has put a compute instance of his.
fn divided(start: i32) -> GpuStatus {
    let mut gpu = cut(a100("G"), &[("1g.5gb", start)]);
    let instance = at(&mut gpu, start);
    (instance.uuid, instance.owned) = (None, false);
    instance.parts = vec!["MIG-part".to_owned()];
    gpu
}

#[test]
fn a_boot_id_that_cannot_be_read_names_the_flag() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("boot_id");
    let error = super::boot_id(&path).unwrap_err().to_string();
    assert!(error.contains("--boot-id-file"), "{error}");
    std::fs::write(&path, "an-id\n").unwrap();
    assert_eq!(super::boot_id(&path).unwrap(), "an-id");
}
