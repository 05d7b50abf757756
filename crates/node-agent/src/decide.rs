//! The agent's decisions, as functions of what was seen. Nothing here waits, reads or writes.
//!
//! ```text
//! duty         what the operator asks × what was said × the journal → what is to be done now
//! check        can the target be had? (Prepare)     in_the_way   who is on it? (Proceed)
//! machine      journal × a fresh look → one step, or the next stage   (next: one step towards a layout)
//! recovery     what a reboot took away → one step
//! status       what is reported: operation, summary, conditions
//! ```

mod check;
mod duty;
mod in_the_way;
pub mod layout;
mod machine;
mod next;
mod recovery;
pub mod status;
mod step;
#[cfg(test)]
mod tests;

pub use check::check;
pub use duty::{Duty, duty};
pub use in_the_way::in_the_way;
pub use machine::{Move, next_move};
pub use recovery::{Recovery, recovery};
pub use step::Step;
