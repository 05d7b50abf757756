//! What the agent hears of its daemon.

use crds::gpu_node::{MpsProcess, MpsState};
use jiff::{SignedDuration, Timestamp};
use plan::mps::Stage;

use super::event::Event;

/// What the agent knows of its daemon.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The number of the order that was looked at last.
    pub answers: u64,
    /// Whether nothing is served, and nothing of a daemon is left.
    pub is_idle: bool,
    /// Where the daemon is.
    pub stage: Stage,
    /// What went wrong last, until the daemon serves.
    pub trouble: Option<String>,
    /// When the daemon was last started. None: not since there was none.
    pub started: Option<Timestamp>,
    /// When the daemon was given up, while it is.
    pub given_up: Option<Timestamp>,
    /// The latest death.
    pub death: Option<Death>,
}

/// A death that has cut clients off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Death {
    /// When it was noticed.
    pub at: Timestamp,
    /// Who died.
    pub of: MpsProcess,
    /// How: a clause.
    pub how: String,
    /// UUIDs of the GPUs whose clients were cut off.
    pub gpus: Vec<String>,
}

impl Report {
    /// Takes in what the supervisor tells. Whether somebody has died of it.
    pub fn hear(&mut self, event: &Event, now: Timestamp) -> Option<MpsProcess> {
        match event {
            Event::Stage { stage, .. } => {
                let is_up = matches!(stage, Stage::Running { .. });
                self.trouble.take_if(|_| is_up);
                let is_given_up = matches!(stage, Stage::CrashLooping { .. });
                self.given_up = is_given_up.then_some(now);
                match stage {
                    Stage::Starting { .. } => self.started = Some(now),
                    Stage::Absent => self.started = None,
                    Stage::Running { .. }
                    | Stage::Dead { .. }
                    | Stage::Stopping { .. }
                    | Stage::CrashLooping { .. }
                    | Stage::TwoOwners { .. } => {}
                }
                self.stage = stage.clone();
                None
            }
            Event::Trouble { message } => {
                // A daemon that serves is asked again, and killed if that does not help.
                let serves = matches!(self.stage, Stage::Running { .. });
                self.trouble = (!serves).then(|| message.clone());
                None
            }
            Event::Left { gpus } => {
                let how = "its agent had ended before it".to_owned();
                Some(self.died(MpsProcess::Daemon, how, gpus, now))
            }
            Event::DaemonEnded { status, gpus } => {
                let is_unasked = self.is_unasked();
                is_unasked.then(|| self.died(MpsProcess::Daemon, status.clone(), gpus, now))
            }
            Event::ServerEnded { pid, status, gpus } => {
                let how = format!("process {pid} ended with status {status}");
                let is_unasked = self.is_unasked();
                is_unasked.then(|| self.died(MpsProcess::Server, how, gpus, now))
            }
            Event::Servers { .. } => None,
        }
    }

    /// As it is told in the `GpuNode`.
    pub const fn state(&self) -> MpsState {
        match self.stage {
            Stage::Absent => MpsState::Absent,
            Stage::Starting { .. } => MpsState::Starting,
            Stage::Running { .. } => MpsState::Running,
            Stage::Dead { .. } => MpsState::Dead,
            Stage::Stopping { .. } => MpsState::Stopping,
            Stage::CrashLooping { .. } => MpsState::CrashLooping,
            Stage::TwoOwners { .. } => MpsState::TwoOwners,
        }
    }

    /// Nobody had told the daemon to end when it or its server did.
    const fn is_unasked(&self) -> bool {
        match self.stage {
            Stage::Starting { .. } | Stage::Running { .. } | Stage::Dead { .. } => true,
            Stage::Absent
            | Stage::Stopping { .. }
            | Stage::CrashLooping { .. }
            | Stage::TwoOwners { .. } => false,
        }
    }

    /// No two deaths have the same moment: it tells them apart.
    fn died(&mut self, of: MpsProcess, how: String, gpus: &[String], now: Timestamp) -> MpsProcess {
        let moment = SignedDuration::from_micros(1);
        let last = self.death.as_ref().map(|death| death.at);
        let after = last.and_then(|last| last.checked_add(moment).ok());
        self.death = Some(Death {
            at: after.map_or(now, |after| after.max(now)),
            of,
            how,
            gpus: gpus.to_vec(),
        });
        of
    }
}

#[cfg(test)]
mod tests {
    use plan::mps::{Limits, Setup};

    use super::*;

    fn stage(stage: Stage) -> Event {
        Event::Stage { stage, pid: None }
    }

    fn ended(daemon: bool) -> Event {
        let gpus = vec!["G".to_owned()];
        if daemon {
            let status = "signal: 9 (SIGKILL)".to_owned();
            Event::DaemonEnded { status, gpus }
        } else {
            let (pid, status) = (17, 0);
            Event::ServerEnded { pid, status, gpus }
        }
    }

    fn stages() -> (Stage, Stage, Stage) {
        let setup = Setup {
            gpus: vec!["G".to_owned()],
            limits: Limits::default(),
        };
        let (heard, deadline) = (std::time::Duration::ZERO, std::time::Duration::ZERO);
        (
            Stage::Running {
                setup: setup.clone(),
                heard,
            },
            Stage::Stopping { deadline },
            Stage::CrashLooping { setup, deadline },
        )
    }

    #[test]
    fn an_end_that_somebody_asked_for_is_no_death() {
        let (running, stopping, looping) = stages();
        for (at, dies) in [(running, true), (stopping, false), (looping, false)] {
            for daemon in [true, false] {
                let mut report = Report::default();
                report.hear(&stage(at.clone()), Timestamp::UNIX_EPOCH);
                let died = report.hear(&ended(daemon), Timestamp::UNIX_EPOCH);
                let who = if daemon {
                    MpsProcess::Daemon
                } else {
                    MpsProcess::Server
                };
                assert_eq!(died, dies.then_some(who), "{at:?}");
                assert_eq!(report.death.is_some(), dies);
            }
        }
    }

    #[test]
    fn what_a_killed_agent_has_left_has_cut_clients_off_too() {
        let mut report = Report::default();
        let gpus = vec!["G".to_owned()];
        let died = report.hear(&Event::Left { gpus: gpus.clone() }, Timestamp::UNIX_EPOCH);
        assert_eq!(died, Some(MpsProcess::Daemon));
        assert_eq!(report.death.unwrap().gpus, gpus);
    }

    #[test]
    fn it_is_known_since_when_there_is_a_daemon_and_that_there_is_none() {
        let (running, stopping, looping) = stages();
        let Stage::CrashLooping { setup, deadline } = looping.clone() else {
            panic!("{looping:?}");
        };
        let mut report = Report::default();
        let second = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1);
        report.hear(
            &stage(Stage::Starting { setup, deadline }),
            Timestamp::UNIX_EPOCH,
        );
        for later in [running, looping, stopping] {
            report.hear(&stage(later), second);
            assert_eq!(report.started, Some(Timestamp::UNIX_EPOCH));
        }
        report.hear(&stage(Stage::Absent), second);
        assert_eq!(report.started, None);
    }

    #[test]
    fn two_deaths_at_one_moment_are_told_apart() {
        let mut report = Report::default();
        report.hear(&stage(stages().0), Timestamp::UNIX_EPOCH);
        report.hear(&ended(false), Timestamp::UNIX_EPOCH);
        let first = report.death.clone();
        report.hear(&ended(false), Timestamp::UNIX_EPOCH);
        assert_ne!(report.death, first);
    }

    #[test]
    fn a_trouble_is_over_when_the_daemon_serves_and_a_daemon_is_given_up_until_another_stage() {
        let (running, _, looping) = stages();
        let mut report = Report::default();
        let message = "no such program".to_owned();
        report.hear(&Event::Trouble { message }, Timestamp::UNIX_EPOCH);
        report.hear(&stage(looping), Timestamp::UNIX_EPOCH);
        assert_eq!(report.given_up, Some(Timestamp::UNIX_EPOCH));
        assert!(report.trouble.is_some());
        report.hear(&stage(running), Timestamp::UNIX_EPOCH);
        assert_eq!((report.given_up, report.trouble), (None, None));
    }
}
