//! The daemon's process, and what it tells of its servers.

use std::io;
use std::process::{ExitStatus, Stdio};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::mpsc;

use super::mark::Mark;
use super::place::Place;
use super::supervisor::Tools;

/// A daemon that we have started. It is killed if this is dropped.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    ends: mpsc::UnboundedReceiver<ServerEnd>,
}

/// A server that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerEnd {
    /// Its process.
    pub pid: i32,
    /// Its status: 0 if it was told to end, and also if it was killed.
    pub status: i32,
}

/// What a daemon has to tell.
#[derive(Debug)]
pub enum Tale {
    /// A server has ended.
    Server(ServerEnd),
    /// It has ended itself.
    Over(io::Result<ExitStatus>),
}

impl Daemon {
    /// Starts it in the foreground, with a mark that it leaves to its servers. It gets a process group of its own, so that a
    /// terminal's Ctrl-C ends us in order and not it.
    pub fn start(tools: &Tools, place: &Place, mark: &Mark) -> io::Result<Self> {
        // As NVIDIA's DRA driver has programs of a driver container find its libraries.
        let cuda = tools.cuda.as_ref().filter(|cuda| cuda.exists());
        let mut child = Command::new(&tools.control)
            .arg("-f")
            .env_clear()
            .envs(place.environment(&tools.control))
            .envs(cuda.map(|cuda| ("LD_PRELOAD", cuda)))
            .envs([mark.variable()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let (sender, ends) = mpsc::unbounded_channel();
        if let Some(log) = child.stdout.take() {
            tokio::spawn(listen(log, sender));
        }
        Ok(Self { child, ends })
    }

    /// Its process, as long as it has not ended.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// The next that it tells. Nothing is lost if nobody waits for the end of this.
    pub async fn tale(&mut self) -> Tale {
        tokio::select! {
            biased;
            Some(end) = self.ends.recv() => Tale::Server(end),
            status = self.child.wait() => Tale::Over(status),
        }
    }
}

/// Reads its log to the end; it would wait for a reader otherwise.
async fn listen(log: ChildStdout, sender: mpsc::UnboundedSender<ServerEnd>) {
    let mut lines = BufReader::new(log).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        tracing::debug!(line, "the MPS daemon says");
        if let Some(end) = server_end(&line) {
            // Nobody supervises it any more.
            let _ = sender.send(end);
        }
    }
}

/// `[2026-11-29 21:51:09.125 Control 16329] Server 16455 exited with status 1`.
fn server_end(line: &str) -> Option<ServerEnd> {
    let (_, said) = line.split_once("] Server ")?;
    let (pid, status) = said.split_once(" exited with status ")?;
    Some(ServerEnd {
        pid: pid.parse().ok()?,
        status: status.trim().parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::{ServerEnd, server_end};

    #[test]
    fn the_end_of_a_server_is_read_from_the_log_and_nothing_else_is() {
        let line = "[2026-11-29 21:51:09.125 Control 16329] Server 16455 exited with status 1";
        let (pid, status) = (16_455, 1);
        assert_eq!(server_end(line), Some(ServerEnd { pid, status }));
        for other in [
            "[2026-11-29 21:51:09.122 Control 16329] Starting new server 16455 for user 0",
            "[2026-11-29 21:51:09.140 Control 16329] Server 1 not found",
            "[2026-11-29 21:51:09.140 Control 16329] Cmd:Server 1 exited with status 1",
            "Server 1 exited with status 1",
            "",
        ] {
            assert_eq!(server_end(other), None, "{other}");
        }
    }
}
