//! `gpu-sharing-agent mps` as a process, with NVIDIA's own MPS control daemon, on simulated GPUs. `make mps` fetches the
//! daemon and runs these; without a GPU its server exits with status 1, so a server that lives is played by `sleep`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, its helpers too, and says what it has measured"
)]

mod agent;
mod bed;
mod killed_agent;
mod owners;
mod serving;
mod shared_memory;
mod stopping;
mod troubles;

use bed::{Bed, Server};
