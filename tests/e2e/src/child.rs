//! One program that the bed runs: its log, its end, signals to it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::eventually::POLL;
use crate::{Error, Result};

/// Bytes of a log that an error shows.
const TAIL: i64 = 2_000;

/// A running program. It is killed when dropped.
#[derive(Debug)]
pub struct Child {
    name: String,
    log: PathBuf,
    process: std::process::Child,
}

impl Child {
    /// Starts `command` with both its outputs appended to `log`, in the process group of `leader`,
    /// or as the leader of a new one.
    pub fn spawn(
        name: &str,
        mut command: Command,
        log: &Path,
        leader: Option<Pid>,
    ) -> Result<Self> {
        let out = File::options().create(true).append(true).open(log);
        let out = out.map_err(Error::file("open", log))?;
        let err = out.try_clone().map_err(Error::file("open", log))?;
        let process = command
            .process_group(leader.map_or(0, |pid| pid.as_raw_nonzero().get()))
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .map_err(|source| Error::Spawn {
                program: command.get_program().display().to_string(),
                source,
            })?;
        Ok(Self {
            name: name.to_owned(),
            log: log.to_path_buf(),
            process,
        })
    }

    /// Its process id.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.process)
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// [`Error::Ended`], with the end of its log.
    pub fn check(&mut self) -> Result<()> {
        match self.ended()? {
            None => Ok(()),
            Some(status) => Err(Error::Ended {
                program: self.name.clone(),
                status,
                log: self.log.clone(),
                tail: self.tail(),
            }),
        }
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        let name = &self.name;
        self.process.try_wait().map_err(|source| Error::Spawn {
            program: name.clone(),
            source,
        })
    }

    /// Sends a signal. One to a program that has ended does nothing.
    pub fn signal(&mut self, signal: Signal) -> Result<()> {
        if self.ended()?.is_some() {
            return Ok(());
        }
        kill_process(self.pid(), signal).map_err(|errno| Error::Spawn {
            program: self.name.clone(),
            source: errno.into(),
        })
    }

    /// Asks it to end (SIGTERM) and waits.
    ///
    /// # Errors
    /// [`Error::Timeout`] if it is still there after `patience`; it is left as it is.
    pub async fn terminate(&mut self, patience: Duration) -> Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        let asked = Instant::now();
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            if asked.elapsed() > patience {
                return Err(Error::Timeout {
                    what: format!("{} ends after SIGTERM", self.name),
                    waited: patience,
                    last: self.tail(),
                });
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Ends it without asking (SIGKILL) and waits until it is gone.
    pub fn kill(&mut self) {
        // Both fail only for a process that has been waited for: then it is gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// The last lines of its log; empty if there is none.
    pub fn tail(&self) -> String {
        let read = || -> std::io::Result<String> {
            let mut file = File::open(&self.log)?;
            let length = i64::try_from(file.metadata()?.len()).unwrap_or(i64::MAX);
            file.seek(SeekFrom::End(-length.min(TAIL)))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        read().unwrap_or_default()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eventually::{Look, PATIENCE, eventually};

    fn shell(script: &str) -> (tempfile::TempDir, Child) {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let child = Child::spawn("the-program", command, &folder.path().join("log"), None);
        (folder, child.unwrap())
    }

    #[tokio::test]
    async fn an_early_end_is_told_with_the_name_and_the_last_words() {
        let (_folder, mut child) = shell("echo 'no such flag' >&2; exit 3");
        child.process.wait().unwrap();
        let told = format!("{:?}", child.check().unwrap_err());
        for part in ["the-program", "exit status: 3", "no such flag"] {
            assert!(told.contains(part), "{told}");
        }
    }

    async fn says(child: &Child, word: &str) {
        eventually("it says so", PATIENCE, async || {
            let tail = child.tail();
            Ok(if tail.contains(word) {
                Look::Done(())
            } else {
                Look::NotYet(tail)
            })
        })
        .await
        .unwrap();
    }

    #[tokio::test]
    async fn a_program_is_asked_to_end_and_its_answer_is_returned() {
        let script = "trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done";
        let (_folder, mut child) = shell(script);
        says(&child, "ready").await;
        let ended = child.terminate(Duration::from_secs(10)).await.unwrap();
        assert_eq!(ended.code(), Some(7));
        child.check().unwrap_err();
    }

    #[tokio::test]
    async fn a_program_that_does_not_end_is_reported_and_left() {
        let script = "trap '' TERM; echo deaf; while :; do sleep 0.01; done";
        let (_folder, mut child) = shell(script);
        says(&child, "deaf").await;
        let refused = child.terminate(Duration::from_millis(100)).await;
        assert!(matches!(refused, Err(Error::Timeout { .. })), "{refused:?}");
        child.check().unwrap();
    }
}
