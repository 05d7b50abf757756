//! What tells our daemons from others, even after we have died: an empty file of ours is their standard input.
//!
//! A process id that is written down after the start would be missing if we die in between, and may belong to another
//! process by the next start. The standard input is inherited by servers and cannot be mistaken.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::linux::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// Between two looks whether the killed are gone.
const MOMENT: Duration = Duration::from_millis(20);
/// So many looks: two seconds.
const LOOKS: u32 = 100;

/// The file, and the processes that have it.
#[derive(Clone, Debug)]
pub struct Mark {
    path: PathBuf,
}

impl Mark {
    /// This file.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The file for a daemon to be started; it is made if need be and never replaced.
    pub fn open(&self) -> io::Result<File> {
        let options = &mut fs::OpenOptions::new();
        options
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&self.path)
    }

    /// Whether a process is a daemon or server of ours. One that has gone is not.
    pub fn is_of(&self, pid: i32) -> bool {
        let identity = |path: &Path| {
            let found = fs::metadata(path).ok()?;
            Some((found.st_dev(), found.st_ino()))
        };
        let ours = identity(&self.path);
        ours.is_some() && ours == identity(Path::new(&format!("/proc/{pid}/fd/0")))
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
