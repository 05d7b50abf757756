//! A simulated node for each test: the simulated library finds its node through the environment, which belongs to a
//! whole process, so each test starts its own program again for itself alone.

use std::any::type_name;
use std::env;
use std::process::Command;

use nvml_sim::SimulatedNode;

/// Runs the body of a test in a process of its own, on a new node with these products. The name of the test is that of
/// the function around the body.
pub fn on_a_node<F: AsyncFnOnce(&SimulatedNode)>(products: &[&str], body: F) {
    if let Some(state) = env::var_os("NVML_SIM_STATE") {
        let node = SimulatedNode::open(state).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        return runtime.unwrap().block_on(body(&node));
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
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{complained}");
    assert!(
        said.contains("1 passed"),
        "{test} is not the name of a test: {said}"
    );
}
