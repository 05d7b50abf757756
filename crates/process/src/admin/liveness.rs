//! Whether the process still makes progress, judged by a heartbeat.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A heartbeat that must not stop. Clones share it.
///
/// Give it to the loop whose silence means that only a restart helps, and call
/// [`Liveness::beat`] there; work that may rightly take long belongs elsewhere.
#[derive(Clone, Debug)]
pub struct Liveness {
    stale_after: Duration,
    last: Arc<Mutex<Instant>>,
}

impl Liveness {
    /// Alive now, and for `stale_after` from the last beat on.
    pub fn new(stale_after: Duration) -> Self {
        Self {
            stale_after,
            last: Arc::new(Mutex::new(Instant::now())),
        }
    }

    /// Says that progress has been made.
    pub fn beat(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// How long the heartbeat has been silent, if that is too long.
    pub(super) fn stale_for(&self) -> Option<Duration> {
        let silent = self
            .last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .elapsed();
        (silent > self.stale_after).then_some(silent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn silence_for_too_long_is_stale_until_the_next_beat() {
        let liveness = Liveness::new(Duration::from_mins(1));
        tokio::time::advance(Duration::from_mins(1)).await;
        assert_eq!(liveness.stale_for(), None);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(liveness.stale_for(), Some(Duration::from_secs(61)));
        liveness.beat();
        assert_eq!(liveness.stale_for(), None);
    }
}
