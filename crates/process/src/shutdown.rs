//! One question for the whole process: has somebody asked it to stop?

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Why the process cannot listen for signals.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen for {signal}; the process would die without an orderly shutdown")]
pub struct SignalError {
    signal: &'static str,
    source: io::Error,
}

/// A request to stop. Clones share it; once made it stands.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    requested: CancellationToken,
    insisted: CancellationToken,
}

impl Shutdown {
    /// Nothing is requested yet, and only [`Shutdown::request`] will change that.
    pub fn new() -> Self {
        Self::default()
    }

    /// Is requested by the first SIGTERM or SIGINT and insisted on by the second.
    ///
    /// Must be called within a tokio runtime. From here on these signals no longer end the
    /// process by themselves.
    pub fn on_signals() -> Result<Self, SignalError> {
        let shutdown = Self::new();
        let mut terminate = listen("SIGTERM", SignalKind::terminate())?;
        let mut interrupt = listen("SIGINT", SignalKind::interrupt())?;
        let told = shutdown.clone();
        tokio::spawn(async move {
            let signal = either(&mut terminate, &mut interrupt).await;
            info!(signal, "asked to shut down");
            told.request();
            let signal = either(&mut terminate, &mut interrupt).await;
            warn!(signal, "asked again; no longer waiting for an orderly end");
            told.insist();
        });
        Ok(shutdown)
    }

    /// Asks everybody who holds a clone to stop.
    pub fn request(&self) {
        self.requested.cancel();
    }

    /// Says that waiting for an orderly end is over; it implies [`Shutdown::request`].
    pub fn insist(&self) {
        self.request();
        self.insisted.cancel();
    }

    /// Whether shutdown has been requested.
    pub fn is_requested(&self) -> bool {
        self.requested.is_cancelled()
    }

    /// Completes when shutdown is requested; at once if it has been. Safe to drop and call again.
    pub async fn requested(&self) {
        self.requested.cancelled().await;
    }

    /// Completes when nobody waits for an orderly end any more.
    pub async fn insisted(&self) {
        self.insisted.cancelled().await;
    }
}

fn listen(name: &'static str, kind: SignalKind) -> Result<Signal, SignalError> {
    signal(kind).map_err(|source| SignalError {
        signal: name,
        source,
    })
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_reaches_every_clone_and_stands() {
        let shutdown = Shutdown::new();
        let clone = shutdown.clone();
        assert!(!clone.is_requested());
        shutdown.request();
        clone.requested().await;
        clone.requested().await;
        assert!(clone.is_requested());
    }

    #[tokio::test]
    async fn the_first_signal_asks_and_the_second_insists() {
        use rustix::process::{Signal, getpid, kill_process};

        // Heard by this test only: from here on the signals do not end the process.
        let shutdown = Shutdown::on_signals().unwrap();
        kill_process(getpid(), Signal::TERM).unwrap();
        shutdown.requested().await;
        assert!(!shutdown.insisted.is_cancelled());
        kill_process(getpid(), Signal::INT).unwrap();
        shutdown.insisted().await;
    }

    #[tokio::test]
    async fn insisting_implies_the_request() {
        let shutdown = Shutdown::new();
        shutdown.insist();
        shutdown.requested().await;
        shutdown.insisted().await;
    }
}
