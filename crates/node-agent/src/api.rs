//! The agent's `GpuNode`: watched, read afresh, created bare, and `status.agent` applied.

mod error;
#[cfg(test)]
pub mod fake;
mod gpu_node;
#[cfg(test)]
mod tests;
mod watch;

pub use error::ApiError;
pub use gpu_node::GpuNodes;
pub use watch::{Known, watch};
