//! A simulated node for each test.
//!
//! The simulated library finds its node through the environment, which belongs to a whole process. So each test starts
//! its own program again for itself alone.

use std::any::type_name;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use gpu::{Error, Nvml};
use nvml_sim::SimulatedNode;

/// Names the file in which the library writes down its calls.
pub const LOG: &str = "NVML_SIM_LOG";

/// Runs the body of a test in a process of its own, on a new node with these products. The name of the test is that of
/// the function around the body.
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
        .env(LOG, folder.path().join("calls.log"))
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

/// The simulated library, as the agent loads NVIDIA's.
pub fn load(node: &SimulatedNode) -> Result<Nvml, Error> {
    Nvml::load(&library(node.path().parent().unwrap()))
}

/// Puts the simulated library into a folder.
fn library(folder: &Path) -> PathBuf {
    nvml_sim::install(folder).unwrap()
}
