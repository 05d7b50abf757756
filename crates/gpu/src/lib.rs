//! A node's GPUs through NVIDIA's driver library: what they are, and one change at a time.
//!
//! ```text
//!   node-agent ──► Driver (trait, blocking)
//!                    ▲
//!                  Nvml ──► inventory ─┐
//!                           profiles  ─┤
//!                           instances ─┼─► raw (the only unsafe code) ──► libnvidia-ml.so.1
//!                           processes ─┘
//!                           reset ─────────► nvidia-smi, which does what the library has no call for
//! ```
//!
//! Nothing is kept between calls: another program may change a GPU at any time, so every call reads afresh.

mod code;
mod driver;
mod error;
mod nvml;
pub mod profile_name;

pub use code::Code;
pub use driver::{Driver, Inventory};
pub use error::Error;
pub use nvml::{Nvml, ResetCommand};
