//! How long to wait, and how often to try.

use std::time::Duration;

/// The limits of one daemon's supervision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// From the start of the daemon until it has answered every command.
    pub start: Duration,
    /// Without an answer, before a running daemon counts as hung.
    pub silence: Duration,
    /// For `quit`, which waits for clients, before the daemon is killed.
    pub quit: Duration,
    /// Before the first restart; doubled with each death after that.
    pub first: Duration,
    /// The longest wait before a restart.
    pub longest: Duration,
    /// So long a death is remembered.
    pub memory: Duration,
    /// So many remembered deaths are too many.
    pub deaths: usize,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            start: Duration::from_secs(10),
            silence: Duration::from_secs(15),
            quit: Duration::from_secs(10),
            first: Duration::from_secs(1),
            longest: Duration::from_mins(1),
            memory: Duration::from_mins(10),
            deaths: 5,
        }
    }
}

impl Patience {
    /// The wait after so many remembered deaths.
    pub(super) fn back_off(&self, deaths: usize) -> Duration {
        let doublings = u32::try_from(deaths.saturating_sub(1)).unwrap_or(u32::MAX);
        let factor = 2_u32.saturating_pow(doublings);
        self.first.saturating_mul(factor).min(self.longest)
    }
}
