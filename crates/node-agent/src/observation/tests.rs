//! Whose a device is, when the driver and the kubelet do not name the same ones.

use crds::gpu_node::GpuStatus;
use gpu::Inventory;

use super::Observation;
use crate::journal::Record;
use crate::world::{a100, at, cut, holder, place};

fn seen(gpus: Vec<GpuStatus>, devices: &[&str]) -> Observation {
    let holders: Vec<_> = devices.iter().map(|device| holder("a", device)).collect();
    let inventory = Inventory {
        driver_version: "580.95.05".to_owned(),
        gpus,
    };
    let mut record = Record::new();
    record.claim("G", &place("1g.5gb", 1), None);
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
fn a_device_that_is_gone_has_no_holder_unless_it_may_be_part_of_an_instance() {
    let whole = cut(a100("G"), &[("1g.5gb", 0)]);
    let mut parts = cut(a100("H"), &[("1g.5gb", 0)]);
    at(&mut parts, 0).uuid = None;
    let seen = seen(vec![whole, parts], &["MIG-unknown"]);
    assert_eq!(holders(&seen), [vec![], vec!["MIG-unknown"]]);
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
fn a_boot_id_that_cannot_be_read_names_the_flag() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("boot_id");
    let error = super::boot_id(&path).unwrap_err().to_string();
    assert!(error.contains("--boot-id-file"), "{error}");
    std::fs::write(&path, "an-id\n").unwrap();
    assert_eq!(super::boot_id(&path).unwrap(), "an-id");
}
