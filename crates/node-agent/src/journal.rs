//! The journal: what the agent must not forget, in one file that is the old or the new one, never half of each.

mod error;
mod file;
mod record;
#[cfg(test)]
mod tests;

pub use error::JournalError;
pub use file::Journal;
pub use record::{NeedsReboot, Record, Stage, Task};
