//! Who counts as being on a device that goes.

use std::collections::BTreeSet;

use crds::gpu_node::{GpuProcess, GpuStatus};

use crate::decide::in_the_way;
use crate::world::{a100, cut, holder};

const GONE: &str = "MIG-G-0";
const KEPT: &str = "MIG-G-1";

fn gpu() -> GpuStatus {
    cut(a100("G"), &[("1g.5gb", 0), ("1g.5gb", 1)])
}

fn process(pid: i64, device: &str) -> GpuProcess {
    let device = device.to_owned();
    GpuProcess { pid, device }
}

#[test]
fn whoever_is_or_may_be_on_an_affected_device_is_in_the_way() {
    let rows = [
        ("nobody", vec![], vec![], vec![]),
        (
            "a pod",
            vec![holder("a", GONE)],
            vec![],
            vec!["pod default/a holds MIG-G-0"],
        ),
        (
            "a pod on what stays",
            vec![holder("a", KEPT)],
            vec![],
            vec![],
        ),
        (
            "a pod and its process",
            vec![holder("a", GONE)],
            vec![process(1, GONE)],
            vec!["pod default/a holds MIG-G-0"],
        ),
        (
            "a stranger",
            vec![],
            vec![process(1, GONE)],
            vec!["process 1 of no pod runs on MIG-G-0"],
        ),
        (
            "a stranger on what stays",
            vec![],
            vec![process(1, KEPT)],
            vec![],
        ),
        (
            "a stranger somewhere",
            vec![],
            vec![process(1, "G")],
            vec!["process 1 of no pod runs on G"],
        ),
        (
            "somewhere, and a pod may be it",
            vec![holder("a", KEPT)],
            vec![process(1, "G")],
            vec![],
        ),
        (
            "a stranger beside a pod's",
            vec![holder("a", KEPT)],
            vec![process(1, GONE)],
            vec!["process 1 of no pod runs on MIG-G-0"],
        ),
    ];
    let affected = BTreeSet::from([GONE.to_owned()]);
    for (name, holders, processes, expected) in rows {
        let mut gpu = gpu();
        (gpu.holders, gpu.processes) = (holders, processes);
        assert_eq!(in_the_way(&[gpu.clone()], &affected), expected, "{name}");
        assert!(in_the_way(&[gpu], &BTreeSet::new()).is_empty(), "{name}");
    }
}

#[test]
fn a_whole_gpu_that_goes_takes_every_process_on_it_along() {
    let mut gpu = a100("G");
    gpu.processes = vec![process(1, "G")];
    let affected = BTreeSet::from(["G".to_owned()]);
    assert_eq!(in_the_way(&[gpu], &affected).len(), 1);
}

#[test]
fn a_process_somewhere_may_be_on_a_part() {
    let mut gpu = gpu();
    gpu.instances[0].uuid = None;
    gpu.instances[0].parts = vec!["MIG-part".to_owned()];
    gpu.processes = vec![process(1, "G")];
    let affected = BTreeSet::from(["MIG-part".to_owned()]);
    assert_eq!(in_the_way(&[gpu], &affected).len(), 1);
}
