//! The reset of one GPU, for which NVML has no call: NVIDIA's own command does it.

use std::io::{PipeReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};
use std::{io, thread};

use crate::Error;

/// Between two looks at whether the command has ended.
const POLL: Duration = Duration::from_millis(20);
/// How long a command that was killed may take to end, and one that has ended to be heard.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// The most that is read of what it says, in bytes.
const MOST: u64 = 1 << 16;
/// "The requested operation is not available on target device": `nvidia-smi(1)`, return values.
const NOT_AVAILABLE: i32 = 3;

/// NVIDIA's command line tool, `nvidia-smi`, as the means to reset a GPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResetCommand {
    program: PathBuf,
    limit: Duration,
}

impl ResetCommand {
    /// This program; a name without a slash is looked for in `PATH`. It gets a minute.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            limit: Duration::from_mins(1),
        }
    }

    /// It is killed if it has not ended within this time.
    #[must_use]
    pub fn within(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Resets the GPU with this UUID. `library` is the driver library that the command is to use.
    pub(super) fn run(&self, library: &Path, gpu: &str) -> Result<(), Error> {
        let not_reset = |why: String| Error::NotReset {
            gpu: gpu.to_owned(),
            why,
        };
        let shown = format!("`{} --gpu-reset -i {gpu}`", self.program.display());
        let (child, said) = self.start(library, gpu).map_err(|error| {
            not_reset(format!(
                "cannot run {shown}: {error}; name the command's path"
            ))
        })?;
        let ended = wait(child, self.limit).map_err(|error| not_reset(error.to_string()))?;
        let said = said.recv_timeout(LAST_WORDS).unwrap_or_default();
        match ended {
            None => Err(not_reset(format!(
                "{shown} did not end within {} s and was killed; look for NVIDIA's messages in the kernel log of the node",
                self.limit.as_secs()
            ))),
            Some(status) if status.success() => Ok(()),
            Some(status) => {
                let why = format!("{shown} ended with {status} and said: {said}");
                Err(if is_impossible(status, &said) {
                    let gpu = gpu.to_owned();
                    Error::NoReset { gpu, why }
                } else {
                    not_reset(why)
                })
            }
        }
    }

    fn start(&self, library: &Path, gpu: &str) -> io::Result<(Child, Receiver<String>)> {
        let (reader, writer) = io::pipe()?;
        let mut command = Command::new(&self.program);
        // `-i` takes a UUID; without it every GPU of the node would be reset.
        command.args(["--gpu-reset", "-i", gpu]);
        command.stdin(Stdio::null());
        command.stdout(writer.try_clone()?).stderr(writer);
        // The command looks for the driver library where its own system's loader does, which is not where that of a driver
        // container lies. NVIDIA's DRA driver has it find it in the same way.
        if library.components().count() > 1 {
            command.env("LD_PRELOAD", library);
        }
        Ok((command.spawn()?, listen(reader)))
    }
}

/// Hears what is said until nobody can say anything more.
fn listen(pipe: PipeReader) -> Receiver<String> {
    let (sender, said) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was heard before a failure counts.
        let _ = pipe.take(MOST).read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes);
        let _ = sender.send(text.split_whitespace().collect::<Vec<_>>().join(" "));
    });
    said
}

/// How it ended; none if it had to be killed. One that hangs in the kernel does not end even then, and is left.
fn wait(mut child: Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let ended = poll(&mut child, limit)?;
    if ended.is_none() {
        child.kill()?;
        poll(&mut child, LAST_WORDS)?;
    }
    Ok(ended)
}

fn poll(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let started = Instant::now();
    loop {
        let ended = child.try_wait()?;
        if ended.is_some() || started.elapsed() >= limit {
            return Ok(ended);
        }
        thread::sleep(POLL);
    }
}

/// Whether the platform resets no GPU. NVIDIA's MIG user guide shows the words for a virtual machine to which a GPU is
/// passed through: "Resetting GPU … is not supported."
fn is_impossible(status: ExitStatus, said: &str) -> bool {
    let said = said.to_lowercase();
    status.code() == Some(NOT_AVAILABLE)
        || said.contains("not supported")
        || said.contains("reboot")
}
