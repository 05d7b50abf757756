//! What the rest of the process sees of the election: am I the leader, and for how much longer?

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::shutdown::Shutdown;

/// Where this process stands in the election.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Another leads, or nobody yet.
    Standby,
    /// We lead.
    Leading(Term),
    /// We led and do no more, or the election has ended. Final.
    Over,
}

/// For how long we lead if no renewal succeeds any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Term {
    /// When we give up: the last renewal plus the renew deadline.
    pub lead_until: Instant,
    /// Before this, nobody else can take the lease: the last renewal plus the lease's duration.
    pub lease_until: Instant,
}

/// A view on the election. Clones see the same.
#[derive(Clone, Debug)]
pub struct Leadership {
    standing: watch::Receiver<Standing>,
}

impl Leadership {
    pub(super) fn new(standing: watch::Receiver<Standing>) -> Self {
        Self { standing }
    }

    /// Whether we lead now and nobody else can for at least this long, by the local monotonic
    /// clock.
    ///
    /// Ask right before each effect that two leaders must not both have, with the longest time that
    /// it can take (its request timeout). It is right even if the election's task is stuck.
    pub fn is_leader_for(&self, at_least: Duration) -> bool {
        match *self.standing.borrow() {
            Standing::Leading(term) => {
                let now = Instant::now();
                let safe = now
                    .checked_add(at_least)
                    .is_some_and(|end| end <= term.lease_until);
                now < term.lead_until && safe
            }
            Standing::Standby | Standing::Over => false,
        }
    }

    /// Waits until we lead. False if shutdown was requested, or the election ended, before that.
    pub async fn acquired(&self, stop: &Shutdown) -> bool {
        let mut standing = self.standing.clone();
        let leading = standing.wait_for(|standing| *standing != Standing::Standby);
        tokio::select! {
            biased;
            () = stop.requested() => false,
            standing = leading => standing.is_ok_and(|s| matches!(*s, Standing::Leading(_))),
        }
    }

    /// Completes when we are no longer the leader, or the election has ended without us; at once if
    /// that has happened. A standby is not finished: it waits.
    pub async fn lost(&self) {
        let mut standing = self.standing.clone();
        loop {
            let now = *standing.borrow_and_update();
            let changed = match now {
                Standing::Over => return,
                Standing::Standby => standing.changed().await,
                Standing::Leading(term) => tokio::select! {
                    changed = standing.changed() => changed,
                    () = sleep_until(term.lead_until) => return,
                },
            };
            if changed.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_leadership_that_nobody_renews_is_lost_at_the_deadline_even_if_nobody_says_so() {
        let start = Instant::now();
        let (lead_until, lease_until) = (
            start + Duration::from_secs(10),
            start + Duration::from_secs(15),
        );
        let term = Term {
            lead_until,
            lease_until,
        };
        // The election's task is stuck: it holds its end and never speaks again.
        let (_stuck, view) = watch::channel(Standing::Leading(term));
        let lost = Leadership::new(view);
        tokio::time::timeout(Duration::from_mins(1), lost.lost())
            .await
            .expect("never lost");
        assert_eq!(start.elapsed().as_secs(), 10);
    }
}
