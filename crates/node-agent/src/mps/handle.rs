//! The daemon as the agent's engine has it: what it is told to serve, and whether it does.

use std::sync::Arc;
use std::time::Duration;

use plan::mps::{Setup, Stage};
use tokio::sync::watch;

use super::ground;
use super::mark::Mark;
use super::owner;
use super::place::Place;
use super::report::Report;
use super::supervisor::Tools;
use crate::decide::{Served, mps};

/// How long a daemon may take to serve or to be gone: twice as long as one attempt of the supervisor's.
const LIMIT: Duration = Duration::from_secs(25);

/// What the daemon is told to serve.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// Grows from one order to the next.
    pub number: u64,
    /// What to serve; none: nothing.
    pub setup: Option<Setup>,
}

/// What an order came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is so, as read back.
    Done,
    /// It could not be had: a sentence.
    Refused(String),
    /// The supervisor ends with the agent; the next one knows.
    Ending,
}

/// Where the daemon of this agent is.
#[derive(Clone, Debug)]
pub struct Ground {
    /// The programs.
    pub tools: Tools,
    /// The directories.
    pub place: Place,
    /// What tells our processes from others.
    pub mark: Mark,
}

/// The daemon of this node. Clones are the same daemon.
#[derive(Clone, Debug)]
pub struct Mps {
    /// None: the agent may not run one.
    ground: Option<Ground>,
    orders: Arc<watch::Sender<Order>>,
    report: watch::Receiver<Report>,
    /// What was ordered last.
    served: Arc<watch::Sender<Vec<Served>>>,
}

impl Mps {
    /// The daemon whose supervisor hears these orders and makes this report.
    pub fn new(
        ground: Option<Ground>,
        orders: watch::Sender<Order>,
        report: watch::Receiver<Report>,
    ) -> Self {
        Self {
            ground,
            orders: Arc::new(orders),
            report,
            served: Arc::new(watch::Sender::new(Vec::new())),
        }
    }

    /// Of an agent that may not run one.
    #[cfg(test)]
    pub fn none() -> Self {
        let (_nobody, report) = watch::channel(Report::default());
        Self::new(None, watch::Sender::default(), report)
    }

    /// Whether the agent may run a daemon.
    pub const fn is_enabled(&self) -> bool {
        self.ground.is_some()
    }

    /// What is known of the daemon.
    pub fn report(&self) -> Report {
        self.report.borrow().clone()
    }

    /// Completes when there is something new to know.
    pub async fn news(&mut self) {
        if self.report.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// The GPUs that the daemon serves, or is about to serve again: also while what an earlier agent has left is ended first.
    pub fn serves(&self) -> Vec<Served> {
        match self.report.borrow().stage {
            Stage::Absent
            | Stage::Starting { .. }
            | Stage::Running { .. }
            | Stage::Dead { .. }
            | Stage::Stopping { .. } => self.served.borrow().clone(),
            Stage::CrashLooping { .. } | Stage::TwoOwners { .. } => Vec::new(),
        }
    }

    /// Whether a process is the daemon, or a server of it.
    pub fn is_ours(&self, pid: i64) -> bool {
        let ground = self.ground.as_ref();
        let pid = i32::try_from(pid).ok();
        ground.zip(pid).is_some_and(|(it, pid)| it.mark.is_of(pid))
    }

    /// Why MPS cannot be asked for on this node, if so: a sentence.
    pub fn obstacle(&self) -> Option<String> {
        let Some(ground) = &self.ground else {
            return Some(
                "MpsNotEnabled: this agent may not run the MPS daemon; install the chart with agent.mps.enabled=true"
                    .to_owned(),
            );
        };
        let other = match self.report.borrow().stage {
            Stage::TwoOwners { pid } => Some(pid),
            Stage::Absent
            | Stage::Starting { .. }
            | Stage::Running { .. }
            | Stage::Dead { .. }
            | Stage::Stopping { .. }
            | Stage::CrashLooping { .. } => {
                let owner = owner::of(&ground.place.pipe()).ok().flatten();
                owner.filter(|pid| !ground.mark.is_of(*pid))
            }
        };
        if let Some(pid) = other {
            let pipe = ground.place.pipe();
            return Some(format!(
                "TwoMpsOwners: process {pid} serves {} already; keep NVIDIA's MPS daemon set away from this node (label \
                 nvidia.com/mps.capable), or end that daemon",
                pipe.display()
            ));
        }
        let shared = ground::check_shared_memory(&ground.place, &ground.tools.shared_memory);
        shared.err().map(|error| process::Chain(&error).to_string())
    }

    /// Orders these GPUs to be served, and waits for nothing. The same order again is none.
    pub fn order(&self, gpus: &[Served]) {
        let is_new = self.served.send_if_modified(|served| {
            let is_new = served.as_slice() != gpus;
            if is_new {
                *served = gpus.to_vec();
            }
            is_new
        });
        if is_new {
            self.send(gpus);
        }
    }

    /// Orders these GPUs to be served and no others, or nothing, and waits until that is so. What cannot be had is taken
    /// back.
    pub async fn serve(&self, gpus: &[Served]) -> Outcome {
        let outcome = self.wait(gpus).await;
        if matches!(outcome, Outcome::Refused(_)) {
            self.served.send_replace(Vec::new());
            self.send(&[]);
        }
        outcome
    }

    /// A daemon that was given up begins without a history once nothing is wanted of it.
    async fn wait(&self, gpus: &[Served]) -> Outcome {
        let is_given_up = self.report.borrow().given_up.is_some();
        if is_given_up && !gpus.is_empty() {
            match self.until_answered(&[]).await {
                Outcome::Done => {}
                other @ (Outcome::Refused(_) | Outcome::Ending) => return other,
            }
        }
        self.until_answered(gpus).await
    }

    async fn until_answered(&self, gpus: &[Served]) -> Outcome {
        self.served.send_replace(gpus.to_vec());
        let number = self.send(gpus);
        let setup = mps::setup(gpus);
        let mut report = self.report.clone();
        let answered =
            report.wait_for(|it| it.answers >= number && answer(it, setup.as_ref()).is_some());
        match tokio::time::timeout(LIMIT, answered).await {
            Ok(Ok(report)) => answer(&report, setup.as_ref()).unwrap_or(Outcome::Done),
            Ok(Err(_)) => Outcome::Ending,
            Err(_) => Outcome::Refused(late(&self.report.borrow(), gpus)),
        }
    }

    fn send(&self, gpus: &[Served]) -> u64 {
        let mut number = 0;
        self.orders.send_modify(|order| {
            order.number += 1;
            order.setup = mps::setup(gpus);
            number = order.number;
        });
        number
    }
}

/// What the report says of an order for this; none: nothing yet.
fn answer(report: &Report, setup: Option<&Setup>) -> Option<Outcome> {
    let refused = |why: String| Some(Outcome::Refused(why));
    match (&report.stage, setup) {
        (Stage::Running { setup: is, .. }, Some(wanted)) if is == wanted => Some(Outcome::Done),
        (Stage::TwoOwners { pid }, Some(_)) => refused(format!(
            "TwoMpsOwners: process {pid} has the pipe directory of the MPS daemon"
        )),
        (Stage::CrashLooping { .. }, Some(_)) => refused(format!(
            "MpsCrashLooping: the MPS daemon died too often{}",
            because(report)
        )),
        (_, None) if report.is_idle => Some(Outcome::Done),
        (
            Stage::Absent
            | Stage::Starting { .. }
            | Stage::Running { .. }
            | Stage::Dead { .. }
            | Stage::Stopping { .. }
            | Stage::CrashLooping { .. }
            | Stage::TwoOwners { .. },
            _,
        ) => None,
    }
}

fn late(report: &Report, gpus: &[Served]) -> String {
    let what = if gpus.is_empty() {
        "is not gone"
    } else {
        "does not serve"
    };
    let seconds = LIMIT.as_secs();
    format!(
        "the MPS daemon {what} within {seconds} s{}",
        because(report)
    )
}

fn because(report: &Report) -> String {
    let trouble = report.trouble.as_ref();
    trouble.map_or_else(String::new, |trouble| format!(": {trouble}"))
}
