//! Who must leave a node, who may not be made to, and how an eviction went.

mod memory;
mod reply;

pub use memory::EvictionMemory;
pub use reply::{Answer, Cause, Reply};
