//! The agent's decisions, as functions of what was seen. Nothing here waits, reads or writes.
//!
//! ```text
//! duty         what the operator asks × what was said × the journal → what is to be done now
//! check        can the target be had? (Prepare)     in_the_way   who is on it? (Proceed)
//! machine      journal × a fresh look → one step, or the next stage   (next: one step towards a layout)
//! mps          what the MPS daemon is to serve, and the steps that change that
//! again        the same step once more: a pending MIG mode needs a reset (reboot: or even a reboot)
//! recovery     what a reboot took away → one step
//! status       what is reported: operation, summary      conditions   what is to be said of the GPUs
//! ```

mod again;
mod check;
pub mod conditions;
mod duty;
mod in_the_way;
pub mod layout;
mod lost_journal;
mod machine;
pub mod mps;
mod next;
mod reboot;
mod recovery;
pub mod status;
mod step;
#[cfg(test)]
mod tests;

pub use again::{Stuck, again};
pub use check::check;
pub use duty::{Duty, duty};
pub use in_the_way::in_the_way;
pub use lost_journal::{journal_lost, lost_operation};
pub use machine::{Move, next_move};
pub use reboot::{sentence as reboot_sentence, without_reboot};
pub use recovery::{Recovery, recovery};
pub use step::{Served, Step};
