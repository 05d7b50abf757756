//! Who must leave a node, who may not be made to, and how an eviction went.

mod assess;
mod devices;
mod memory;
mod reply;
mod safety;
#[cfg(test)]
mod tests;

pub use assess::{Assessment, Question};
pub use memory::EvictionMemory;
pub use reply::{Answer, Cause, Reply};
pub use safety::selects;
