//! A machine with a driver: whose programs are run, and in which environment.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Error, Result};

/// Where two programs are asked about the same GPUs.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Our agent.
    pub agent: PathBuf,
    /// NVIDIA's program.
    pub nvidia_smi: PathBuf,
    /// What every program gets besides our own environment: where a simulated driver is. Empty on a real machine.
    pub environment: Vec<(&'static str, OsString)>,
}

/// What a program said.
#[derive(Clone, Debug)]
pub struct Output {
    /// Name and arguments.
    pub command: String,
    /// Exit status; none after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub text: String,
    /// Standard error.
    pub errors: String,
}

impl Machine {
    /// Runs nvidia-smi; a failure is for the caller to judge.
    ///
    /// # Errors
    /// [`Error::Start`].
    pub fn smi(&self, arguments: &[&str]) -> Result<Output> {
        self.run(&self.nvidia_smi, arguments)
    }

    /// Runs a program on this machine's driver.
    ///
    /// # Errors
    /// [`Error::Start`].
    pub fn run(&self, program: &Path, arguments: &[&str]) -> Result<Output> {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env("LC_ALL", "C.UTF-8")
            .envs(self.environment.iter().cloned());
        let output = command.output().map_err(|source| Error::Start {
            program: program.into(),
            source,
        })?;
        let name = program.file_name().unwrap_or(program.as_os_str());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Output {
            command: format!("{} {}", name.display(), arguments.join(" ")),
            code: output.status.code(),
            text: text(&output.stdout),
            errors: text(&output.stderr),
        })
    }
}

impl Output {
    /// The text of a program that succeeded.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub fn success(self) -> Result<String> {
        if self.code == Some(0) {
            return Ok(self.text);
        }
        Err(Error::Failed {
            said: format!("{}{}", self.text, self.errors),
            command: self.command,
            code: self.code,
        })
    }
}
