//! The journal: what the agent must not forget, in one file that is the old or the new one, never half of each.
//!
//! ```text
//!   Journal (file) ──► format: header with version and checksum, then the record
//!      │                record: what was made · what was verified · the operation (task) · the step that was begun
//!      ├──► disk: one call of the operating system each
//!      └──► aside: files that nobody can read, kept under names of their own
//! ```

mod aside;
mod disk;
mod error;
mod file;
mod format;
mod made;
mod record;
mod task;
#[cfg(test)]
mod tests;

pub use disk::{Disk, Files};
pub use error::JournalError;
pub use file::Journal;
pub use made::Making;
pub use record::{NeedsReboot, Record};
pub use task::{Stage, Task};
