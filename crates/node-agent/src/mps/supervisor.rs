//! One daemon: look, decide, act, and look again.

mod act;
mod look;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use plan::mps::{Action, Patience, Setup, Stage, State, step};
use process::shutdown::Shutdown;
use tokio::sync::watch;

use super::channel::Channel;
use super::daemon::Daemon;
use super::error::MpsError;
use super::event::{Event, word};
use super::handle::Order;
use super::mark::Mark;
use super::note::Notes;
use super::place::Place;
use super::report::Report;
use crate::driver::Gpus;

/// Where things are on this node.
#[derive(Clone, Debug)]
pub struct Tools {
    /// NVIDIA's MPS control program.
    pub control: PathBuf,
    /// The daemon's `/dev/shm`.
    pub shared_memory: PathBuf,
    /// The driver's CUDA library, for a server that would not find it where its own system's loader looks. Used if it is
    /// there.
    pub cuda: Option<PathBuf>,
}

/// What the supervisor is told, and whom it tells how far it is.
#[derive(Debug)]
pub struct Orders {
    /// What is to be served.
    pub wanted: watch::Receiver<Order>,
    /// What came of it.
    pub report: Arc<watch::Sender<Report>>,
}

/// Who is told what happens.
pub type Teller = Box<dyn Fn(&Event) + Send + Sync>;

/// Looks after the daemon of one resource.
pub struct Supervisor {
    tools: Tools,
    place: Place,
    gpus: Gpus,
    notes: Notes,
    mark: Mark,
    channel: Channel,
    patience: Patience,
    tell: Teller,
    began: Instant,
    state: State,
    /// Our child, until its end was heard of.
    daemon: Option<Daemon>,
    /// Whether it has its limits.
    configured: bool,
    /// Whether it has answered since the last look.
    answered: bool,
    /// When it was last asked whether it lives.
    asked: Instant,
    /// Servers that have failed since the last look.
    failed_servers: usize,
    /// As last listed.
    servers: Vec<i32>,
    /// The last trouble, so that each is told once.
    trouble: Option<String>,
}

impl Supervisor {
    /// Nothing is looked at yet.
    pub fn new(tools: Tools, place: Place, gpus: Gpus, notes: Notes, tell: Teller) -> Self {
        let now = Instant::now();
        Self {
            channel: Channel::new(tools.control.clone(), place.clone()),
            mark: notes.mark(),
            tools,
            place,
            gpus,
            notes,
            patience: Patience::default(),
            tell,
            began: now,
            state: State::default(),
            daemon: None,
            configured: false,
            answered: false,
            asked: now,
            failed_servers: 0,
            servers: Vec::new(),
            trouble: None,
        }
    }

    /// Serves what is ordered until `stop` is requested, and then until everything is given back.
    ///
    /// # Errors
    /// What is there cannot be read, so that nothing can be decided.
    pub async fn run(mut self, mut orders: Orders, stop: Shutdown) -> Result<(), MpsError> {
        loop {
            let order = orders.wanted.borrow_and_update().clone();
            let setup = order.setup.filter(|_| !stop.is_requested());
            let (goes_on, is_idle) = self.move_on(setup.as_ref()).await?;
            orders.report.send_if_modified(|report| {
                let is_news = (report.answers, report.is_idle) != (order.number, is_idle);
                (report.answers, report.is_idle) = (order.number, is_idle);
                is_news
            });
            if is_idle && stop.is_requested() {
                return Ok(());
            }
            if !goes_on {
                self.wait(&mut orders.wanted, &stop).await;
            }
        }
    }

    /// Gives back what a process that died has left.
    ///
    /// # Errors
    /// As for [`Supervisor::run`].
    pub async fn give_back(mut self, stop: Shutdown) -> Result<(), MpsError> {
        let (_nobody, mut wanted) = watch::channel(Order::default());
        loop {
            let (goes_on, is_idle) = self.move_on(None).await?;
            if is_idle {
                return Ok(());
            }
            if !goes_on {
                self.wait(&mut wanted, &stop).await;
            }
        }
    }

    /// Looks, decides and acts: whether there is more to do at once, and whether nothing is left.
    async fn move_on(&mut self, wanted: Option<&Setup>) -> Result<(bool, bool), MpsError> {
        let seen = self.look()?;
        let (state, action) = step(wanted, &self.state, &seen, &self.patience, self.now());
        self.enter(state);
        let is_absent = wanted.is_none() && self.state.stage == Stage::Absent;
        let is_idle = is_absent && action == Action::Rest;
        let done = self.act(&action).await;
        let goes_on = match action {
            Action::Start(_) | Action::Configure(_) | Action::Restore => done.is_ok(),
            Action::Rest | Action::Quit | Action::Kill => false,
        };
        self.complain(done.err());
        Ok((goes_on, is_idle))
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn enter(&mut self, state: State) {
        let is_same = word(&self.state.stage) == word(&state.stage);
        self.state = state;
        if is_same {
            return;
        }
        let own = || self.daemon.as_ref().and_then(Daemon::pid).map(i64::from);
        let pid = match &self.state.stage {
            Stage::TwoOwners { pid } => Some(i64::from(*pid)),
            Stage::Absent
            | Stage::Starting { .. }
            | Stage::Running { .. }
            | Stage::Dead { .. }
            | Stage::Stopping { .. }
            | Stage::CrashLooping { .. } => own(),
        };
        (self.tell)(&Event::Stage {
            stage: self.state.stage.clone(),
            pid,
        });
    }

    /// Tells each trouble once.
    fn complain(&mut self, error: Option<MpsError>) {
        let Some(error) = error else {
            return;
        };
        let message = process::Chain(&error).to_string();
        if self.trouble.as_ref() != Some(&message) {
            (self.tell)(&Event::Trouble {
                message: message.clone(),
            });
            self.trouble = Some(message);
        }
    }
}
