//! What is seen, and what is waited for until there is more to see.

use std::io;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use plan::mps::{Behind, Seen, Setup, Stage};
use process::shutdown::Shutdown;
use tokio::sync::watch;

use super::super::channel::ChannelError;
use super::super::command::{Command, servers};
use super::super::daemon::{Daemon, ServerEnd, Tale};
use super::super::error::{MpsError, io};
use super::super::event::Event;
use super::super::handle::Order;
use super::super::owner;
use super::Supervisor;

/// Between two looks while something is about to happen.
const SOON: Duration = Duration::from_millis(100);
/// Between two looks otherwise.
const PULSE: Duration = Duration::from_secs(1);
/// Between two questions whether it lives.
const ASK_EVERY: Duration = Duration::from_secs(5);
/// For an answer.
pub(super) const ANSWER: Duration = Duration::from_secs(2);

impl Supervisor {
    /// Who is behind the pipe directory, and what is left of a daemon of ours.
    pub(super) fn look(&mut self) -> Result<Seen, MpsError> {
        let behind = match &self.daemon {
            Some(_) => Behind::Ours {
                configured: self.configured,
                answered: std::mem::take(&mut self.answered),
            },
            None => self.behind()?,
        };
        Ok(Seen {
            behind,
            residue: self.notes.read()?.is_some(),
            failed_servers: std::mem::take(&mut self.failed_servers),
        })
    }

    fn behind(&self) -> Result<Behind, MpsError> {
        let pipe = self.place.pipe();
        let owner = || owner::of(&pipe).map_err(io("read the lock in", &pipe));
        Ok(match owner()? {
            None => Behind::Nobody,
            Some(pid) if self.mark.is_of(pid) => Behind::Orphan,
            // One that has just died is nobody's.
            Some(_) => match owner()? {
                None => Behind::Nobody,
                Some(pid) => Behind::Foreign { pid },
            },
        })
    }

    /// Until the daemon tells something, somebody orders something else or wants an end, or it is time for a look.
    pub(super) async fn wait(&mut self, wanted: &mut watch::Receiver<Order>, stop: &Shutdown) {
        let running = matches!(self.state.stage, Stage::Running { .. });
        let asks = running && self.asked.elapsed() >= ASK_EVERY;
        let (pace, channel) = (self.pace(), self.channel.clone());
        let pulse = async {
            tokio::time::sleep(pace).await;
            if !asks {
                return None;
            }
            Some(channel.ask(Command::ServerList, ANSWER).await)
        };
        let stopped = stop.is_requested();
        tokio::select! {
            tale = next(self.daemon.as_mut()) => self.hear(tale),
            answer = pulse => if let Some(answer) = answer {
                self.answer(answer);
            },
            () = stop.requested(), if !stopped => {}
            Ok(()) = wanted.changed() => {}
        }
    }

    fn pace(&self) -> Duration {
        match self.state.stage {
            Stage::Starting { .. } | Stage::Stopping { .. } | Stage::Dead { .. } => SOON,
            Stage::Absent
            | Stage::Running { .. }
            | Stage::CrashLooping { .. }
            | Stage::TwoOwners { .. } => PULSE,
        }
    }

    fn answer(&mut self, answer: Result<String, ChannelError>) {
        self.asked = Instant::now();
        match answer.map(|answer| servers(&answer)) {
            Ok(Some(pids)) => {
                self.answered = true;
                if pids != self.servers {
                    (self.tell)(&Event::Servers { pids: pids.clone() });
                    self.servers = pids;
                }
            }
            Ok(None) => {}
            Err(error) => self.complain(Some(error.into())),
        }
    }

    fn hear(&mut self, tale: Tale) {
        match tale {
            Tale::Server(end) => self.server_ended(end),
            Tale::Over(status) => self.ended(status),
        }
    }

    fn server_ended(&mut self, end: ServerEnd) {
        let ServerEnd { pid, status } = end;
        if status != 0 {
            self.failed_servers += 1;
        }
        let gpus = self.served();
        (self.tell)(&Event::ServerEnded { pid, status, gpus });
    }

    fn ended(&mut self, status: io::Result<ExitStatus>) {
        self.daemon = None;
        self.configured = false;
        self.servers.clear();
        let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
        let gpus = self.served();
        (self.tell)(&Event::DaemonEnded { status, gpus });
    }

    /// The GPUs of the daemon, as they were written down.
    fn served(&self) -> Vec<String> {
        let of = |setup: &Setup| setup.gpus.clone();
        match &self.state.stage {
            Stage::Starting { setup, .. }
            | Stage::Running { setup, .. }
            | Stage::Dead { setup, .. }
            | Stage::CrashLooping { setup, .. } => of(setup),
            Stage::Absent | Stage::Stopping { .. } | Stage::TwoOwners { .. } => {
                let note = self.notes.read().ok().flatten();
                note.map_or_else(Vec::new, |note| note.gpus)
            }
        }
    }
}

/// The next that our child tells; never if there is none.
async fn next(daemon: Option<&mut Daemon>) -> Tale {
    match daemon {
        Some(daemon) => daemon.tale().await,
        None => std::future::pending().await,
    }
}
