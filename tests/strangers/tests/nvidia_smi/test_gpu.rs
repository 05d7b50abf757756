//! The program behind `make test-gpu`, on a machine whose GPUs are simulated.

use std::ffi::OsString;
use std::path::Path;

use strangers::{Output, Simulated};

use crate::{A100, H100, client, node};

/// Runs it with nvidia-smi where a shell would find it.
fn test_gpu(node: &Simulated, arguments: &[&str]) -> Output {
    let folder = node.machine.nvidia_smi.parent().unwrap().to_owned();
    run(node, folder.into_os_string(), arguments)
}

fn run(node: &Simulated, path: OsString, arguments: &[&str]) -> Output {
    let mut machine = node.machine.clone();
    machine.environment.push(("PATH", path));
    let program = Path::new(env!("CARGO_BIN_EXE_test-gpu"));
    machine.run(program, arguments).unwrap()
}

#[test]
fn a_machine_without_a_driver_is_skipped() {
    let node = node(&["T4"]);
    let skipped = "skipped: no NVIDIA driver on this machine\n";
    let no_program = run(&node, "/nowhere".into(), &[]);
    assert_eq!(no_program.success().unwrap(), skipped);
    // The program is there and the driver is not: nvidia-smi ends with 9.
    std::fs::remove_file(node.node.path()).unwrap();
    assert_eq!(test_gpu(&node, &[]).success().unwrap(), skipped);
}

#[test]
fn gpus_are_compared_and_left_alone() {
    let node = node(&[A100, "T4"]);
    let before = node.node.state().unwrap();
    let text = test_gpu(&node, &[]).success().unwrap();
    let agree = "agent and nvidia-smi agree";
    let expected = format!("GPU 0 (NVIDIA A100-SXM4-40GB): {agree}\nGPU 1 (Tesla T4): {agree}\n");
    assert_eq!(text, expected);
    assert_eq!(node.node.state().unwrap(), before);
}

#[test]
fn each_profile_of_an_idle_gpu_is_made_and_destroyed() {
    let node = node(&[A100, H100, A100, "T4"]);
    let hands = &node.node;
    hands.attach(1, client(4001)).unwrap();
    hands.set_mig_mode(2, true).unwrap();
    let kept = hands.create_instance(2, "1g.5gb", Some(0)).unwrap();
    let modes = || hands.gpus().unwrap().into_iter().map(|gpu| gpu.mig_mode);
    let before: Vec<_> = modes().collect();
    let text = test_gpu(&node, &["--change-mig"]).success().unwrap();
    let all = "1g.5gb, 2g.10gb, 3g.20gb, 4g.20gb, 7g.40gb, 1g.5gb+me, 1g.10gb";
    for line in [
        format!("GPU 0 (NVIDIA A100-SXM4-40GB): made and destroyed {all}"),
        "GPU 1 (NVIDIA H100 80GB HBM3): MIG is left alone: processes are on it".to_owned(),
        "GPU 2 (NVIDIA A100-SXM4-40GB): MIG is left alone: it is cut into instances".to_owned(),
        "GPU 3 (Tesla T4): MIG is left alone: it has none".to_owned(),
    ] {
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
    assert_eq!(modes().collect::<Vec<_>>(), before);
    let left: Vec<_> = hands
        .gpus()
        .unwrap()
        .into_iter()
        .flat_map(|gpu| gpu.instances)
        .collect();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].mig_uuids, [kept]);
}

#[test]
fn a_tour_that_fails_half_way_leaves_nothing_behind() {
    let node = node(&[A100]);
    let function = "nvmlGpuInstanceCreateComputeInstance".to_owned();
    let fault = nvml_sim::state::Fault {
        function,
        code: nvml_sim::Code::Unknown.number(),
        when: nvml_sim::state::When::Nth(3),
    };
    node.node.inject(fault).unwrap();
    let output = test_gpu(&node, &["--change-mig"]);
    assert_eq!(output.code, Some(1));
    assert!(output.errors.starts_with("test-gpu: "), "{}", output.errors);
    let gpu = node.node.gpus().unwrap().swap_remove(0);
    assert_eq!(gpu.instances, []);
    assert!(!gpu.mig_mode.unwrap().current);
}
