//! What tells our daemons from others, even after we have died: a variable in their environment names our notes.
//!
//! A process id that is written down after the start would be missing if we die in between, and may belong to another
//! process by the next start. Servers inherit the environment. A file as their standard input would not do: the daemon
//! closes it when a server ends.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// The variable.
const VARIABLE: &str = "GPU_SHARING_MPS_NOTES";
/// Between two looks whether the killed are gone.
const MOMENT: Duration = Duration::from_millis(20);
/// So many looks: two seconds.
const LOOKS: u32 = 100;

/// The folder of our notes, and the processes that were started with it.
#[derive(Clone, Debug)]
pub struct Mark {
    folder: PathBuf,
}

impl Mark {
    /// This folder.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The variable for a daemon to be started.
    pub fn variable(&self) -> (&'static str, &Path) {
        (VARIABLE, &self.folder)
    }

    /// Whether a process is a daemon or server of ours. One that has gone is not.
    pub fn is_of(&self, pid: i32) -> bool {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let mut variables = environment.split(|byte| *byte == 0);
        variables.any(|variable| {
            let value = variable.strip_prefix(VARIABLE.as_bytes());
            let value = value.and_then(|value| value.strip_prefix(b"="));
            value == Some(self.folder.as_os_str().as_bytes())
        })
    }

    /// Kills daemon and servers, and waits until they are gone.
    ///
    /// # Errors
    /// The processes cannot be listed or killed, or do not go.
    pub async fn kill_all(&self) -> io::Result<()> {
        for _ in 0..LOOKS {
            let processes = self.processes()?;
            if processes.is_empty() {
                return Ok(());
            }
            for process in processes {
                match pidfd_send_signal(&process, Signal::KILL) {
                    // It has gone meanwhile.
                    Ok(()) | Err(Errno::SRCH) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            tokio::time::sleep(MOMENT).await;
        }
        Err(io::ErrorKind::TimedOut.into())
    }

    /// Handles of all of them: unlike its id, the handle of a process never becomes that of another.
    fn processes(&self) -> io::Result<Vec<OwnedFd>> {
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let pid = name.to_str().and_then(|name| name.parse().ok());
            let Some(pid) = pid.filter(|pid| self.is_of(*pid)) else {
                continue;
            };
            let Some(id) = Pid::from_raw(pid) else {
                continue;
            };
            match pidfd_open(id, PidfdFlags::empty()) {
                // Looked at again, as the id may have changed hands before the handle was there.
                Ok(handle) if self.is_of(pid) => found.push(handle),
                Ok(_) | Err(Errno::SRCH) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(found)
    }
}
