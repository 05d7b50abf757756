//! Who must leave a node, who may not be made to, and how an eviction went.

mod assess;
mod budget;
mod devices;
mod memory;
mod person;
mod reply;
mod safety;
mod stuck;
#[cfg(test)]
mod tests;
mod tiers;

pub use assess::{Assessment, Question};
pub(crate) use budget::explained;
pub use budget::{BudgetView, Outlook, namespaces};
pub use memory::EvictionMemory;
pub(crate) use person::needs_a_person;
pub use reply::{Answer, Cause, Reply};
pub use safety::selects;
pub(crate) use stuck::stuck;
