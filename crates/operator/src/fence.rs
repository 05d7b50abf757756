//! The last question before an effect that two leaders must not both have: do we lead for long enough?

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use process::lease::{Leadership, Timing};

use crate::error::Error;

/// The longest that a fenced request may take, whatever the lease.
const LONGEST: Duration = Duration::from_secs(5);

/// Lets a request through only while the lease outlasts it.
///
/// An eviction by a stale leader is not stopped by anybody else, and a cordon leaves a trace that a person would have to
/// clean up. A compare-and-swap write fails by itself only where the new leader has written already: elsewhere the
/// operator would report, and ask for, what it believed when it last saw the world.
#[derive(Clone)]
pub struct Fence {
    within: Duration,
    leads: Arc<dyn Fn(Duration) -> bool + Send + Sync>,
}

impl Fence {
    /// A fence for requests that take at most a third of the lease, and 5 s.
    pub fn new(leadership: Leadership, timing: Timing) -> Self {
        let within = LONGEST.min(timing.lease_duration / 3);
        Self::by(within, move |at_least| leadership.is_leader_for(at_least))
    }

    /// A fence that asks `leads` whether we lead for so long.
    pub fn by(within: Duration, leads: impl Fn(Duration) -> bool + Send + Sync + 'static) -> Self {
        Self {
            within,
            leads: Arc::new(leads),
        }
    }

    /// Sends `request` if we lead for as long as it may take, and gives it up after that.
    pub async fn send<T>(
        &self,
        verb: &'static str,
        object: &str,
        request: impl Future<Output = kube::Result<T>>,
    ) -> Result<kube::Result<T>, Error> {
        let object = object.to_owned();
        if !(self.leads)(self.within) {
            return Err(Error::LeaseEnds { verb, object });
        }
        let within = self.within;
        tokio::time::timeout(within, request)
            .await
            .map_err(|_| Error::Silent {
                verb,
                object,
                within,
            })
    }
}

impl fmt::Debug for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fence")
            .field("within", &self.within)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use plan::reason::Reason;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn a_request_that_may_outlast_the_lease_is_not_sent() {
        for (lease_lasts, sent) in [(SECOND / 2, false), (SECOND, true)] {
            let fence = Fence::by(SECOND, move |at_least| lease_lasts >= at_least);
            let answer = fence.send("evict", "Pod a/b", async { Ok(()) }).await;
            match answer {
                Ok(answer) => assert!(sent && answer.is_ok()),
                Err(error) => {
                    assert!(!sent && matches!(error, Error::LeaseEnds { .. }), "{error}");
                }
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_is_given_up_when_the_lease_may_end() {
        let fence = Fence::by(SECOND, |_| true);
        let never = std::future::pending::<kube::Result<()>>();
        let error = fence.send("cordon", "Node n1", never).await.unwrap_err();
        assert_eq!(error.reason(), Reason::NoAnswer);
    }
}
