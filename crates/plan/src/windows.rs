//! Maintenance windows and blackouts.
//!
//! ```text
//! duration   lengths of time as people write them
//! rule       when one window starts, and when that instance ends
//! schedule   all windows and blackouts together: open or closed, since when, until when
//! admits     whether an operation may begin now
//! instances  the instances of windows one by one, for people
//! ```

mod admits;
mod duration;
mod instances;
mod parse;
mod rule;
mod schedule;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

pub use admits::{TooLate, need};
pub use duration::{duration, spoken};
pub use instances::{Instance, Oddity};
pub use schedule::Schedule;

/// Whether operations may begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WindowState {
    /// No windows are configured, or they leave no gap in the next 31 days.
    Always,
    /// A window is open. Windows that overlap or touch are one.
    Open {
        /// Since when.
        start: Timestamp,
        /// Until when; the end itself is outside.
        end: Timestamp,
    },
    /// None is open, or a blackout is on.
    Closed {
        /// The next opening. None: there will not be one.
        next: Option<(Timestamp, Timestamp)>,
        /// The blackout that is on, and why, as a clause.
        blackout: Option<String>,
    },
}
