//! The loop that contends for a lease, renews it and gives it back.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Client;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};
use tower::util::rng::{HasherRng, Rng};
use tracing::{debug, info, warn};

use super::args::ElectionConfig;
use super::decision::{Action, Sighting, decide};
use super::leadership::{Leadership, Standing, Term};
use super::record::{self, Record};
use super::store::{Store, StoreError, Written};
use crate::Chain;
use crate::shutdown::Shutdown;

/// The longest pause between two looks at a lease that another holds, before its ±20 %: one that is given back is taken
/// within a second.
const STANDBY: Duration = Duration::from_millis(600);

/// Why a leader stopped leading although nobody asked it to.
#[derive(Debug, thiserror::Error)]
pub enum ElectionError {
    /// Another holds the lease.
    #[error(
        "no longer the leader: lease {lease} is held by {holder}; if this repeats, check that this \
         process gets CPU time and that the API server answers within seconds"
    )]
    Taken {
        /// Namespace and name.
        lease: String,
        /// Identity of the new leader.
        holder: String,
    },
    /// No renewal succeeded in time, so others may soon take the lease.
    #[error(
        "no longer the leader: lease {lease} could not be renewed within {deadline:?}; check that \
         the API server is reachable and answers within seconds"
    )]
    Expired {
        /// Namespace and name.
        lease: String,
        /// The renew deadline.
        deadline: Duration,
        /// What the last try failed with, if it came back.
        source: Option<StoreError>,
    },
}

/// One contender for a lease.
#[derive(Debug)]
pub struct Election {
    config: ElectionConfig,
    store: Store,
    standing: watch::Sender<Standing>,
    /// The Lease as we wrote it last, while nothing speaks against it standing.
    ours: Option<Lease>,
    /// The record as we read it last.
    seen: Option<Sighting>,
    /// Why the last turn failed, if it did.
    trouble: Option<StoreError>,
    jitter: HasherRng,
}

/// What one look at the lease came to.
enum Turn {
    /// We hold it, by a request that was sent then.
    Held(Instant),
    /// Another holds it, until then at least if it falls silent.
    Others(String, Instant),
    /// Somebody wrote between our read and our write: look again.
    Contended,
}

impl Election {
    /// A contender that has not looked at the lease yet, and the view on it for everybody else.
    ///
    /// `client` must send each request once ([`Clients::once`](crate::kubernetes::Clients::once)).
    pub fn new(client: Client, config: ElectionConfig) -> (Self, Leadership) {
        let (standing, view) = watch::channel(Standing::Standby);
        let timeout = config.timing.request_timeout();
        let store = Store::new(client, &config.namespace, &config.name, timeout);
        let election = Self {
            config,
            store,
            standing,
            ours: None,
            seen: None,
            trouble: None,
            jitter: HasherRng::default(),
        };
        (election, Leadership::new(view))
    }

    /// Contends, leads and renews until `stop` is requested, then gives the lease back so that
    /// another can take over at once. Request it only when no work is under way any more that needs
    /// the lease ([`Tasks::support`](crate::tasks::Tasks::support) does so).
    ///
    /// Trouble with the API server is logged and tried again for as long as we do not lead.
    ///
    /// # Errors
    /// When a leadership is lost. The process should end then: whatever it thinks it knows about
    /// work under way is no longer its own.
    pub async fn run(mut self, stop: Shutdown) -> Result<(), ElectionError> {
        let ended = self.contend(&stop).await;
        let led = self.term().is_some();
        self.standing.send_replace(Standing::Over);
        if led && ended.is_ok() {
            self.release().await;
        }
        ended
    }

    async fn contend(&mut self, stop: &Shutdown) -> Result<(), ElectionError> {
        while !stop.is_requested() {
            let pause = self.turn().await?;
            tokio::select! {
                () = stop.requested() => {}
                () = sleep(pause) => {}
            }
        }
        Ok(())
    }

    /// Looks at the lease once and does what is to be done. Returns how long to wait until the
    /// next look.
    async fn turn(&mut self) -> Result<Duration, ElectionError> {
        let jitter = 0.8 + 0.4 * self.jitter.next_f64();
        let period = self.config.timing.retry_period.mul_f64(jitter);
        match (self.look_in_time().await?, self.term()) {
            (Turn::Held(sent), _) => self.hold_since(sent),
            (Turn::Others(holder, _), Some(_)) => {
                return Err(ElectionError::Taken {
                    lease: self.store.lease(),
                    holder,
                });
            }
            (Turn::Others(holder, until), None) => {
                debug!(holder, "another leads");
                let period = period.min(STANDBY.mul_f64(jitter));
                return Ok(period.min(until.saturating_duration_since(Instant::now())));
            }
            (Turn::Contended, _) => debug!("the lease was written by somebody else meanwhile"),
        }
        Ok(self.term().map_or(period, |term| {
            period.min(term.lead_until.saturating_duration_since(Instant::now()))
        }))
    }

    /// One look, which ends at the latest when our term does.
    async fn look_in_time(&mut self) -> Result<Turn, ElectionError> {
        let Some(term) = self.term() else {
            return Ok(self.look_and_log().await);
        };
        if let Ok(turn) = timeout_at(term.lead_until, self.look_and_log()).await
            && Instant::now() < term.lead_until
        {
            return Ok(turn);
        }
        Err(ElectionError::Expired {
            lease: self.store.lease(),
            deadline: self.config.timing.renew_deadline,
            source: self.trouble.take(),
        })
    }

    /// One look; trouble is logged when it is new, and counts as having learned nothing.
    async fn look_and_log(&mut self) -> Turn {
        let error = match self.look().await {
            Ok(turn) => {
                self.trouble = None;
                return turn;
            }
            Err(error) => error,
        };
        let text = Chain(&error).to_string();
        if self
            .trouble
            .as_ref()
            .is_none_or(|known| Chain(known).to_string() != text)
        {
            warn!(error = text, "leader election has trouble; trying again");
        }
        self.trouble = Some(error);
        Turn::Contended
    }

    /// Renews what we hold, or reads the lease and decides.
    async fn look(&mut self) -> Result<Turn, StoreError> {
        let ttl = self.config.timing.lease_duration;
        if let Some(lease) = self.ours.clone() {
            let sent = Instant::now();
            let written = self
                .store
                .replace(&record::renewed(lease, ttl, Timestamp::now()))
                .await?;
            if let Turn::Held(sent) = self.outcome(sent, written) {
                return Ok(Turn::Held(sent));
            }
        }
        let found = self.store.read().await?;
        let now = Instant::now();
        let before = self.seen.take();
        self.seen = found
            .as_ref()
            .map(|lease| Sighting::next(before, Record::of(lease), now));
        let action = decide(&self.config.identity, self.seen.as_ref(), now, ttl);
        self.act(action, found.unwrap_or_default()).await
    }

    async fn act(&mut self, action: Action, lease: Lease) -> Result<Turn, StoreError> {
        let (me, name) = (&self.config.identity, &self.config.name);
        let (ttl, now) = (self.config.timing.lease_duration, Timestamp::now());
        let sent = Instant::now();
        let written = match action {
            Action::Wait { holder, until } => return Ok(Turn::Others(holder, until)),
            Action::Create => {
                self.store
                    .create(&record::first(name, me, ttl, now))
                    .await?
            }
            Action::Acquire => {
                self.store
                    .replace(&record::taken(lease, me, ttl, now))
                    .await?
            }
            Action::Renew => {
                self.store
                    .replace(&record::renewed(lease, ttl, now))
                    .await?
            }
        };
        Ok(self.outcome(sent, written))
    }

    /// Keeps what was written, or forgets what turned out to be outdated.
    fn outcome(&mut self, sent: Instant, written: Written) -> Turn {
        match written {
            Written::Stands(lease) => {
                self.ours = Some(*lease);
                Turn::Held(sent)
            }
            Written::Outdated => {
                self.ours = None;
                Turn::Contended
            }
        }
    }

    /// Counts our term from before the request that secured it.
    fn hold_since(&mut self, sent: Instant) {
        if self.term().is_none() {
            info!(
                lease = self.store.lease(),
                identity = self.config.identity,
                "leading"
            );
        }
        self.standing.send_replace(Standing::Leading(Term {
            lead_until: sent + self.config.timing.renew_deadline,
            lease_until: sent + self.config.timing.lease_duration,
        }));
    }

    fn term(&self) -> Option<Term> {
        match *self.standing.borrow() {
            Standing::Leading(term) => Some(term),
            Standing::Standby | Standing::Over => None,
        }
    }

    /// Gives the lease back if it is still ours. Not vital: without it, others wait it out.
    async fn release(&self) {
        match self.give_back().await {
            Ok(()) => info!(lease = self.store.lease(), "gave the lease back"),
            Err(error) => {
                let error = Chain(&error).to_string();
                warn!(
                    error,
                    "cannot give the lease back; the next leader must wait it out"
                );
            }
        }
    }

    async fn give_back(&self) -> Result<(), StoreError> {
        let Some(lease) = self.store.read().await? else {
            return Ok(());
        };
        if Record::of(&lease).holder.as_ref() == Some(&self.config.identity) {
            self.store
                .replace(&record::released(lease, Timestamp::now()))
                .await?;
        }
        Ok(())
    }
}
