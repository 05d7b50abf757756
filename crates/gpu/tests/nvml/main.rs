//! The driver over the simulated library: a real `libnvidia-ml.so.1` with real MIG rules and no hardware.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

mod changes;
mod inventory;
mod mig_device;
mod own_process;
mod products;
mod profiles;
mod resets;
mod starting;

use crds::gpu_node::{GpuStatus, PlacedProfile};
use gpu::{Driver, Nvml};

/// The product of most tests.
const A100: &str = "A100-SXM4-40GB";

/// A profile at a memory slice.
fn at(start: i32, profile: &str) -> PlacedProfile {
    PlacedProfile {
        start,
        profile: profile.to_owned(),
    }
}

/// The first GPU as it is now.
fn first(driver: &mut Nvml) -> GpuStatus {
    driver.inventory().unwrap().gpus.swap_remove(0)
}
