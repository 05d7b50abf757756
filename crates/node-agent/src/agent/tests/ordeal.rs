//! An agent in a process of its own, on a node that is a folder: it can be killed for real, and another goes on.
//!
//! ```text
//!   scenario ──► folder: GPUs · journal · GpuNode · who holds what ◄── outcome: what must hold in the end
//!                  ▲
//!   gatekeeper ──► child: the real agent, its NVML adapter, the simulated library, the journal on a gated disk
//! ```

mod child;
mod disk;
pub mod folder;
pub mod gatekeeper;
pub mod outcome;
pub mod scenario;
