//! The agent's `GpuNode`: watched, read afresh, created bare, and `status.agent` applied.

mod error;
mod gpu_node;
mod watch;

pub use error::ApiError;
pub use gpu_node::GpuNodes;
pub use watch::{Known, watch};
