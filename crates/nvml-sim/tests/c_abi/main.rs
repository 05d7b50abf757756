//! The library through its real C surface, loaded by nvml-wrapper as the agent loads NVIDIA's.
#![expect(
    unsafe_code,
    reason = "creating instances exists in the raw bindings only"
)]
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

mod contract;
mod export_table;
mod exports;
mod gate;
mod instances;
mod inventory;
mod own_process;
mod profiles;
mod raw;

/// The product of most tests.
const A100: &str = "A100-SXM4-40GB";
