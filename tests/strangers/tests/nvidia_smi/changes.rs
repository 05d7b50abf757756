//! nvidia-smi changes the GPUs by the driver's rules, and the agent sees it.

use crds::gpu_node::{ComputeMode, GpuStatus, MigMode};
use nvml_sim::Code;
use strangers::Simulated;

use crate::{A100, H100, client, node, said, smi};

/// A GPU as the agent sees it, once nvidia-smi agrees.
fn gpu(node: &Simulated, index: usize, when: &str) -> GpuStatus {
    node.machine.agree(when).unwrap();
    node.machine.inventory().unwrap().gpus.swap_remove(index)
}

/// Name, start and whether there is a device.
fn instances(gpu: &GpuStatus) -> Vec<(&str, i32, bool)> {
    let all = gpu.instances.iter();
    all.map(|i| (i.profile.as_str(), i.start, i.uuid.is_some()))
        .collect()
}

fn code(code: Code) -> Option<i32> {
    i32::try_from(code.number()).ok()
}

#[test]
fn the_agent_sees_what_nvidia_smi_creates() {
    let node = node(&[A100]);
    smi(&node, "-i 0 -mig 1");
    let made = smi(&node, "mig -cgi 9:4 -C");
    assert!(
        made.contains("created GPU instance ID  1 on GPU  0"),
        "{made}"
    );
    assert!(made.contains("created compute instance ID  0"), "{made}");
    // Without a placement the driver chooses, and without -C it makes no device.
    smi(&node, "mig -cgi 19,19");
    let seen = gpu(&node, 0, "after -cgi");
    let others = [("1g.5gb", 0, false), ("1g.5gb", 1, false)];
    assert_eq!(instances(&seen)[..2], others);
    assert_eq!(instances(&seen)[2..], [("3g.20gb", 4, true)]);
}

#[test]
fn a_compute_instance_smaller_than_its_gpu_instance_gives_no_slice() {
    let node = node(&[H100]);
    smi(&node, "-i 0 -mig 1");
    smi(&node, "mig -cgi 9:0");
    smi(&node, "mig -cci 0 -gi 1");
    assert!(smi(&node, "-L").contains("MIG 1c.3g.40gb  Device  0:"));
    let seen = gpu(&node, 0, "after -cci 0");
    assert_eq!(instances(&seen), [("3g.40gb", 0, false)]);
}

#[test]
fn instances_go_in_the_order_that_the_driver_demands() {
    let node = node(&[A100]);
    smi(&node, "-i 0 -mig 1");
    smi(&node, "mig -cgi 14:0,9:4 -C");
    let before = gpu(&node, 0, "after -cgi");
    assert_eq!(said(&node, "mig -dgi -gi 2").code, code(Code::InUse));
    let uuid = before.instances[1].uuid.clone().unwrap();
    node.node.attach_mig(&uuid, client(4001)).unwrap();
    assert_eq!(said(&node, "mig -dci -gi 2 -ci 0").code, code(Code::InUse));
    assert_eq!(said(&node, "-i 0 -mig 0").code, code(Code::InUse));
    node.node.detach(4001).unwrap();
    smi(&node, "mig -dci -gi 2 -ci 0");
    let seen = gpu(&node, 0, "after -dci");
    assert_eq!(
        instances(&seen),
        [("2g.10gb", 0, true), ("3g.20gb", 4, false)]
    );
    smi(&node, "mig -dgi -gi 2");
    smi(&node, "mig -dci");
    smi(&node, "mig -dgi");
    assert_eq!(instances(&gpu(&node, 0, "after -dgi")), []);
    assert_eq!(said(&node, "mig -lgi").code, code(Code::NotFound));
    smi(&node, "mig -cgi 14:0 -C");
    let after = gpu(&node, 0, "after another -cgi");
    assert_ne!(after.instances[0].uuid, before.instances[0].uuid);
}

#[test]
fn what_does_not_fit_is_refused() {
    let node = node(&[A100]);
    smi(&node, "-i 0 -mig 1");
    smi(&node, "mig -cgi 9:0 -C");
    let full = said(&node, "mig -cgi 9:0");
    assert_eq!(full.code, code(Code::InsufficientResources));
    assert!(
        full.text.contains("Insufficient Resources"),
        "{}",
        full.text
    );
    // It checks starts itself, against the placements that the driver lists.
    assert_ne!(said(&node, "mig -cgi 9:3").code, Some(0));
    assert_ne!(said(&node, "mig -cgi 77").code, Some(0));
    let seen = gpu(&node, 0, "after refusals");
    assert_eq!(instances(&seen), [("3g.20gb", 0, true)]);
}

#[test]
fn mig_mode_is_switched_where_it_can_be() {
    let node = node(&[A100, H100, "T4"]);
    node.node.attach(0, client(4001)).unwrap();
    let mode = |index| gpu(&node, index, "after -mig").mig;
    // A busy Ampere GPU keeps it pending, a busy Hopper GPU would refuse, a T4 has none.
    let pending = said(&node, "-i 0 -mig 1");
    assert!(pending.text.contains("pending enable"), "{}", pending.text);
    assert_eq!(mode(0).current, MigMode::Disabled);
    assert_eq!(mode(0).pending, MigMode::Enabled);
    smi(&node, "-i 1 -mig 1");
    assert_eq!(mode(1).current, MigMode::Enabled);
    smi(&node, "-i 1 -mig 0");
    assert_eq!(mode(1).current, MigMode::Disabled);
    let warned = smi(&node, "-i 2 -mig 1");
    assert!(warned.contains("Treating as warning"), "{warned}");
    assert_eq!(mode(2).current, MigMode::NotSupported);
}

#[test]
fn the_compute_mode_is_switched() {
    let node = node(&["T4"]);
    let mode = || gpu(&node, 0, "after -c").compute_mode;
    assert_eq!(mode(), Some(ComputeMode::Default));
    smi(&node, "-i 0 -c EXCLUSIVE_PROCESS");
    assert_eq!(mode(), Some(ComputeMode::ExclusiveProcess));
    smi(&node, "-i 0 -c PROHIBITED");
    assert_eq!(mode(), Some(ComputeMode::Prohibited));
    smi(&node, "-i 0 -c DEFAULT");
    assert_eq!(mode(), Some(ComputeMode::Default));
}
