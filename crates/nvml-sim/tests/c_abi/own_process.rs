//! Tests through the real C ABI: the built library, loaded as the agent loads NVIDIA's.
//!
//! The library finds its node through the environment, which belongs to a whole process. So each
//! test starts its own program again for itself alone, with a node made for it.

use std::any::type_name;
use std::env;
use std::path::PathBuf;
use std::process::Command;

use nvml_sim::SimulatedNode;
use nvml_wrapper::Nvml;

/// Runs the body of a test in a process of its own, on a new node with these products.
///
/// The name of the test is that of the function around the body.
pub fn on_a_node<F: FnOnce(&SimulatedNode)>(products: &[&str], body: F) {
    if let Some(state) = env::var_os("NVML_SIM_STATE") {
        return body(&SimulatedNode::open(state).unwrap());
    }
    let path = type_name::<F>();
    let (_, path) = path.split_once("::").unwrap();
    let test = path.strip_suffix("::{{closure}}").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("gpus.json");
    SimulatedNode::create(&state, Some(1), products).unwrap();
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env("NVML_SIM_STATE", &state)
        .env("NVML_SIM_LOG", folder.path().join("log"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        said.contains("1 passed"),
        "{test} is not the name of a test: {said}"
    );
}

/// Where cargo puts the library for a test: beside the test's program.
pub fn library() -> PathBuf {
    env::current_exe()
        .unwrap()
        .parent()
        .unwrap()
        .join("libnvml_sim.so")
}

/// The library, loaded and initialised.
pub fn load() -> Nvml {
    Nvml::builder()
        .lib_path(library().as_os_str())
        .init()
        .unwrap()
}
