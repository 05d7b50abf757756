//! Python clients of NVML on simulated GPUs: NVIDIA's own bindings, and nvitop on top of them.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

use std::path::Path;

use nvml_sim::Client;
use strangers::{Inventory, Simulated, differences};

const A100: &str = "A100-SXM4-40GB";

/// A node of a test's own; what Python imports comes from the cache.
fn node(products: &[&str]) -> Simulated {
    let mut node = Simulated::new(products, Path::new("/no/nvidia-smi")).unwrap();
    let path = strangers::python_packages().unwrap().into_os_string();
    node.machine.environment.push(("PYTHONPATH", path));
    node
}

fn python(node: &Simulated, arguments: &[&str]) -> String {
    let output = node.machine.run(Path::new("python3"), arguments).unwrap();
    output.success().unwrap()
}

fn client(pid: u32) -> Client {
    Client {
        pid,
        name: format!("program-{pid}"),
        memory_mib: 100,
    }
}

/// Two slices with a hole between their MIG devices, and processes.
fn cut(node: &Simulated) {
    let hands = &node.node;
    hands.set_mig_mode(0, true).unwrap();
    let three = hands.create_instance(0, "3g.20gb", Some(0)).unwrap();
    let gone = hands.create_instance(0, "1g.5gb", Some(6)).unwrap();
    hands.create_instance(0, "1g.5gb", Some(5)).unwrap();
    hands.destroy_instance(&gone).unwrap();
    hands.attach_mig(&three, client(4001)).unwrap();
    hands.attach(1, client(4002)).unwrap();
}

/// The agent and the bindings say the same, but for counts that the driver gives wrong.
fn agree(node: &Simulated) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/inventory.py");
    let theirs = Inventory::parse("inventory.py", &python(node, &[script])).unwrap();
    let comparison = differences(&node.machine.inventory().unwrap(), &theirs);
    assert_eq!(comparison.differences, []);
    assert_eq!(comparison.unlisted, []);
}

#[test]
fn nvidias_python_bindings_see_every_product_as_the_agent_does() {
    let keys: Vec<_> = products::ALL.iter().map(|product| product.key).collect();
    let node = node(&keys);
    agree(&node);
    for (gpu, product) in products::ALL.iter().enumerate() {
        if product.mig.is_some() {
            node.node.set_mig_mode(gpu, true).unwrap();
        }
    }
    agree(&node);
}

#[test]
fn nvidias_python_bindings_see_slices_and_processes_as_the_agent_does() {
    let node = node(&[A100, "T4"]);
    cut(&node);
    agree(&node);
}

#[test]
fn nvitop_shows_gpus_slices_and_processes() {
    let node = node(&[A100, "T4"]);
    cut(&node);
    let text = python(&node, &["-m", "nvitop", "--once", "--ascii"]);
    for shown in [
        "Driver Version: 580.95.05",
        "A100-SXM4-40GB",
        "100.0MiB / 40.00GiB",
        // It looks for no more MIG devices behind a hole.
        "0:0      3g.20gb @ GI/CI: 1/0 |  100.0MiB / 19968MiB",
        "Tesla T4",
    ] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    let process = |pid| {
        let mut lines = text.lines();
        lines.any(|line| line.contains(pid) && line.contains(" C "))
    };
    assert!(process(" 4001 ") && process(" 4002 "), "{text}");
}
