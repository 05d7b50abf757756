//! The tasks of a process: when one ends, all end, and orderly.
//!
//! ```text
//!   a signal, or any task ends ──► workers are told to stop ──► all ended, or the grace is over
//!                                                                        │
//!                    exit code ◄── all ended, or a moment is over ◄── supports are told to stop
//! ```
//!
//! Supports (admin server, leader election) outlive the workers: metrics are answered while the
//! workers finish, and the lease is given back only when nobody works under it any more.

use std::collections::HashMap;
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use tokio::task::{Id, JoinError, JoinSet};
use tracing::{error, info};

use crate::{Chain, shutdown::Shutdown};

/// How long supports may take to end once the workers have: enough to give the lease back.
const SUPPORT_GRACE: Duration = Duration::from_secs(5);

/// What a task can end with: nothing, or a `Result` whose error says why.
pub trait Outcome: Send + 'static {
    /// The error on one line with its causes, if this is one.
    fn failure(self) -> Option<String>;
}

impl Outcome for () {
    fn failure(self) -> Option<String> {
        None
    }
}

impl<E: Error + Send + 'static> Outcome for Result<(), E> {
    fn failure(self) -> Option<String> {
        self.err().map(|error| Chain(&error).to_string())
    }
}

/// The tasks of one process, not running longer than it.
#[derive(Debug)]
pub struct Tasks {
    workers: Group,
    supports: Group,
}

impl Tasks {
    /// No task yet. `shutdown` is what ends them in order.
    pub fn new(shutdown: Shutdown) -> Self {
        Self {
            workers: Group::new(shutdown),
            supports: Group::new(Shutdown::new()),
        }
    }

    /// Starts a task that does what this process is for. `work` gets the request to stop.
    pub fn work<F>(&mut self, name: &'static str, work: impl FnOnce(Shutdown) -> F)
    where
        F: Future<Output: Outcome> + Send + 'static,
    {
        self.workers.spawn(name, work);
    }

    /// Starts a task that workers rely on. It is asked to stop when no worker is left.
    pub fn support<F>(&mut self, name: &'static str, work: impl FnOnce(Shutdown) -> F)
    where
        F: Future<Output: Outcome> + Send + 'static,
    {
        self.supports.spawn(name, work);
    }

    /// Runs until shutdown is requested or any task ends, then ends all of them.
    ///
    /// Workers get `grace` to finish (keep it some seconds below the pod's
    /// `terminationGracePeriodSeconds`, 30 by default), supports get 5 s after that; what still
    /// runs then is aborted. The result is success only if shutdown was requested, and every task
    /// then ended by itself and without an error.
    pub async fn run(mut self, grace: Duration) -> ExitCode {
        let shutdown = self.workers.stop.clone();
        let requested = tokio::select! {
            biased;
            () = shutdown.requested() => true,
            () = self.workers.one_ended() => false,
            () = self.supports.one_ended() => false,
        };
        let workers = self.workers.finish(grace, &shutdown).await;
        let supports = self.supports.finish(SUPPORT_GRACE, &shutdown).await;
        if requested && workers && supports {
            info!("ended in order");
            return ExitCode::SUCCESS;
        }
        ExitCode::FAILURE
    }
}

/// Tasks that are asked to stop together.
#[derive(Debug)]
struct Group {
    stop: Shutdown,
    names: HashMap<Id, &'static str>,
    /// What a task ends with is why it failed, if it did.
    running: JoinSet<Option<String>>,
}

impl Group {
    fn new(stop: Shutdown) -> Self {
        Self {
            stop,
            names: HashMap::new(),
            running: JoinSet::new(),
        }
    }

    fn spawn<F>(&mut self, name: &'static str, work: impl FnOnce(Shutdown) -> F)
    where
        F: Future<Output: Outcome> + Send + 'static,
    {
        let future = work(self.stop.clone());
        let task = self.running.spawn(async move { future.await.failure() });
        self.names.insert(task.id(), name);
    }

    /// Completes when a task ends that nobody asked to; never if there is none.
    async fn one_ended(&mut self) {
        match self.running.join_next_with_id().await {
            Some(ended) => self.report_unasked(ended),
            None => std::future::pending().await,
        }
    }

    /// Asks all to stop and waits. True if each ended by itself, in time and without an error.
    async fn finish(&mut self, grace: Duration, shutdown: &Shutdown) -> bool {
        self.stop.request();
        let good = tokio::select! {
            good = self.drain() => good,
            () = tokio::time::sleep(grace) => false,
            () = shutdown.insisted() => false,
        };
        for name in self.names.values() {
            error!(task = name, ?grace, "did not end in time; aborting it");
        }
        self.running.abort_all();
        good
    }

    async fn drain(&mut self) -> bool {
        let mut good = true;
        while let Some(ended) = self.running.join_next_with_id().await {
            let (task, why) = self.forget(ended);
            if let Some(why) = why {
                error!(task, why, "failed while shutting down");
                good = false;
            }
        }
        good
    }

    fn report_unasked(&mut self, ended: Ended) {
        let (task, why) = self.forget(ended);
        let why = why.as_deref().unwrap_or("it returned");
        error!(
            task,
            why, "a task ended that nobody asked to stop; ending the process"
        );
    }

    fn forget(&mut self, ended: Ended) -> (&'static str, Option<String>) {
        let (id, why) = match ended {
            Ok((id, why)) => (id, why),
            Err(error) => (error.id(), Some(Chain(&error).to_string())),
        };
        (self.names.remove(&id).unwrap_or("unknown"), why)
    }
}

/// A task's end as tokio tells it.
type Ended = Result<(Id, Option<String>), JoinError>;

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    const GRACE: Duration = Duration::from_secs(10);

    fn code(success: bool) -> String {
        format!(
            "{:?}",
            if success {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        )
    }

    async fn run(shutdown: Shutdown, fill: impl FnOnce(&mut Tasks)) -> String {
        let mut tasks = Tasks::new(shutdown);
        fill(&mut tasks);
        format!("{:?}", tasks.run(GRACE).await)
    }

    async fn never(_: Shutdown) {
        std::future::pending::<()>().await;
    }

    async fn until_asked(stop: Shutdown) {
        stop.requested().await;
    }

    #[tokio::test(start_paused = true)]
    async fn an_orderly_shutdown_is_a_success() {
        let shutdown = Shutdown::new();
        shutdown.request();
        let ended = run(shutdown, |tasks| {
            tasks.work("controller", until_asked);
            tasks.support("admin server", until_asked);
        });
        assert_eq!(ended.await, code(true));
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_ends_unasked_ends_the_process_without_success() {
        for by in ["worker", "support"] {
            let ended = run(Shutdown::new(), |tasks| {
                tasks.work("controller", until_asked);
                match by {
                    "worker" => tasks.work("watch", async |_| ()),
                    _ => tasks.support("lease", async |_| Err(io::Error::other("lost"))),
                }
            });
            assert_eq!(ended.await, code(false), "{by}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_is_a_failure_too() {
        let ended = run(Shutdown::new(), |tasks| {
            tasks.work("controller", async |_: Shutdown| -> () { panic!("a bug") });
        });
        assert_eq!(ended.await, code(false));
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_while_shutting_down_is_not_a_success() {
        let shutdown = Shutdown::new();
        shutdown.request();
        let ended = run(shutdown, |tasks| {
            tasks.work("controller", async |_| {
                Err(io::Error::other("cannot flush"))
            });
        });
        assert_eq!(ended.await, code(false));
    }

    #[tokio::test(start_paused = true)]
    async fn supports_are_asked_to_stop_only_when_no_worker_is_left() {
        let (shutdown, order) = (Shutdown::new(), Arc::new(Mutex::new(Vec::new())));
        shutdown.request();
        let (first, second) = (order.clone(), order.clone());
        let ended = run(shutdown, |tasks| {
            tasks.support("lease", async move |stop: Shutdown| {
                stop.requested().await;
                second.lock().unwrap().push("support");
            });
            tasks.work("controller", async move |stop: Shutdown| {
                stop.requested().await;
                tokio::time::sleep(GRACE / 2).await;
                first.lock().unwrap().push("worker");
            });
        });
        assert_eq!(ended.await, code(true));
        assert_eq!(*order.lock().unwrap(), ["worker", "support"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_does_not_stop_is_waited_for_no_longer_than_the_grace() {
        let (shutdown, start) = (Shutdown::new(), tokio::time::Instant::now());
        shutdown.request();
        let ended = run(shutdown, |tasks| tasks.work("stuck", never));
        assert_eq!(ended.await, code(false));
        assert_eq!(start.elapsed().as_secs(), GRACE.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn who_insists_does_not_wait_for_the_grace() {
        let (shutdown, start) = (Shutdown::new(), tokio::time::Instant::now());
        shutdown.insist();
        let ended = run(shutdown, |tasks| tasks.work("stuck", never));
        assert_eq!(ended.await, code(false));
        assert_eq!(start.elapsed().as_secs(), 0);
    }
}
