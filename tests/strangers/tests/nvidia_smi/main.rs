//! NVIDIA's nvidia-smi, unmodified, on simulated GPUs: what it prints is what our agent reports.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

mod changes;
mod screen;
mod test_gpu;
mod views;

use nvml_sim::Client;
use strangers::{Output, Simulated};

const A100: &str = "A100-SXM4-40GB";
const H100: &str = "H100-SXM5-80GB";

/// A node of a test's own.
fn node(products: &[&str]) -> Simulated {
    let nvidia_smi = strangers::nvidia_smi().unwrap_or_else(|error| panic_with(&error));
    Simulated::new(products, &nvidia_smi).unwrap()
}

#[expect(clippy::panic, reason = "the script's words are what a person needs")]
fn panic_with(error: &strangers::Error) -> ! {
    panic!("{error}")
}

/// Runs nvidia-smi, which must succeed; returns what it printed.
fn smi(node: &Simulated, arguments: &str) -> String {
    said(node, arguments).success().unwrap()
}

/// Runs nvidia-smi.
fn said(node: &Simulated, arguments: &str) -> Output {
    let arguments: Vec<_> = arguments.split_whitespace().collect();
    node.machine.smi(&arguments).unwrap()
}

/// A process for the simulated driver.
fn client(pid: u32) -> Client {
    Client {
        pid,
        name: format!("program-{pid}"),
        memory_mib: 100,
    }
}
