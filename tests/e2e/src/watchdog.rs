//! Nothing of a bed outlives the test that started it, even one that is killed.
//!
//! `PR_SET_PDEATHSIG` would not do: it fires when the *thread* that started a child ends, and tests
//! and runtimes start and end threads. A pipe closes exactly when the process is gone.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::Pid;

use crate::{Error, Result};

/// A small process that waits for the end of this one, kills the bed's process group and removes
/// its folder.
#[derive(Debug)]
pub struct Watchdog(Child);

impl Watchdog {
    /// Starts watching over `folder`.
    pub fn start(folder: &Path) -> Result<Self> {
        Command::new("sh")
            .args(["-c", include_str!("watchdog.sh"), "watchdog"])
            .arg(folder)
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .map(Self)
            .map_err(|source| Error::Spawn {
                program: "sh".to_owned(),
                source,
            })
    }

    /// This process group is to be killed at the end.
    pub fn guard(&mut self, leader: Pid) {
        self.tell(&format!("group {}", leader.as_raw_nonzero()));
    }

    /// The process group has ended; its id may be another's now.
    pub fn forget(&mut self) {
        self.tell("group");
    }

    /// The folder is to be kept at the end.
    pub fn keep(&mut self) {
        self.tell("keep");
    }

    /// If it is gone there is nobody to tell, and nothing better to do.
    fn tell(&mut self, line: &str) {
        if let Some(pipe) = &mut self.0.stdin {
            let _ = writeln!(pipe, "{line}");
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    fn sleeper() -> Child {
        let mut sleep = Command::new("sleep");
        sleep.arg("600").process_group(0).spawn().unwrap()
    }

    #[test]
    fn what_it_guards_is_killed_and_removed_when_the_pipe_closes() {
        let folder = tempfile::tempdir().unwrap().keep();
        let mut child = sleeper();
        let mut watchdog = Watchdog::start(&folder).unwrap();
        watchdog.guard(Pid::from_child(&child));
        drop(watchdog);
        assert_eq!(child.wait().unwrap().signal(), Some(9));
        assert!(!folder.exists());
    }

    #[test]
    fn what_it_is_told_to_keep_or_forget_stays() {
        let folder = tempfile::tempdir().unwrap();
        let mut child = sleeper();
        let mut watchdog = Watchdog::start(folder.path()).unwrap();
        watchdog.guard(Pid::from_child(&child));
        watchdog.forget();
        watchdog.keep();
        drop(watchdog);
        assert_eq!(child.try_wait().unwrap(), None);
        assert!(folder.path().exists());
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
