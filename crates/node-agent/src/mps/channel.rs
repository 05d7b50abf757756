//! The one way in which the daemon is talked to: a client process for each command, with a deadline.

use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process;

use super::command::Command;
use super::place::Place;

/// Why a command has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The program does not start, or its pipes break.
    #[error("cannot run {}; name NVIDIA's MPS control program with --mps-control", program.display())]
    Run {
        /// The program.
        program: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The client waits for the daemon longer than it may.
    #[error("the MPS daemon at {} has not answered `{command}` within {deadline:?}", pipe.display())]
    Silent {
        /// The pipe directory.
        pipe: PathBuf,
        /// What it was asked.
        command: Command,
        /// How long it had.
        deadline: Duration,
    },
    /// There is no daemon.
    #[error("no MPS daemon answers `{command}` at {}: {said}", pipe.display())]
    Nobody {
        /// The pipe directory.
        pipe: PathBuf,
        /// What was asked.
        command: Command,
        /// The client's words.
        said: String,
    },
}

/// Talks to the daemon of one place.
#[derive(Clone, Debug)]
pub struct Channel {
    program: PathBuf,
    place: Place,
}

impl Channel {
    /// With this control program.
    pub fn new(program: PathBuf, place: Place) -> Self {
        Self { program, place }
    }

    /// What the daemon answers. A client that takes longer, or that nobody waits for any more, is killed.
    pub async fn ask(&self, command: Command, deadline: Duration) -> Result<String, ChannelError> {
        let talked = tokio::time::timeout(deadline, self.talk(command)).await;
        let output = match talked {
            Ok(Ok(output)) => output,
            Ok(Err(source)) => {
                let program = self.program.clone();
                return Err(ChannelError::Run { program, source });
            }
            Err(_) => {
                return Err(ChannelError::Silent {
                    pipe: self.place.pipe(),
                    command,
                    deadline,
                });
            }
        };
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(said);
        }
        Err(ChannelError::Nobody {
            pipe: self.place.pipe(),
            command,
            said: said.trim().to_owned(),
        })
    }

    async fn talk(&self, command: Command) -> std::io::Result<Output> {
        let mut client = process::Command::new(&self.program)
            .env_clear()
            .envs(self.place.environment(&self.program))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        // A client without a daemon ends before it reads: what it says tells more than the broken pipe.
        if let Some(mut stdin) = client.stdin.take() {
            let _ = stdin.write_all(format!("{command}\n").as_bytes()).await;
        }
        client.wait_with_output().await
    }
}
