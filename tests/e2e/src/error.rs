//! What can go wrong in the test bed, said so that a person knows where to look.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

/// A failure of the bed, or of something that it waited for.
#[derive(thiserror::Error)]
pub enum Error {
    /// The operating system refused something about a file.
    #[error("cannot {verb} {}", path.display())]
    File {
        /// What was tried.
        verb: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A program could not be started.
    #[error("cannot start {program}")]
    Spawn {
        /// Path or name.
        program: String,
        /// Why not.
        source: io::Error,
    },
    /// A program ended that should be running.
    #[error("{program} ended with {status}; the end of its log {}:\n{tail}", log.display())]
    Ended {
        /// Name.
        program: String,
        /// How.
        status: ExitStatus,
        /// Its whole log.
        log: PathBuf,
        /// The last lines.
        tail: String,
    },
    /// Something that was waited for did not happen.
    #[error("{what}: not within {waited:?}; last seen: {last}")]
    Timeout {
        /// The condition.
        what: String,
        /// How long it was waited for.
        waited: Duration,
        /// The object, or the answer, as it was at the end.
        last: String,
    },
    /// The API server refused, or did not answer.
    #[error("cannot {what}")]
    Api {
        /// Verb and object.
        what: String,
        /// Its answer.
        source: Box<kube::Error>,
    },
    /// The simulated driver refused.
    #[error("the simulated GPUs refuse")]
    Simulator(#[from] nvml_sim::Error),
    /// The simulated driver library is not there.
    #[error("the simulated driver library cannot be installed")]
    Library(#[from] nvml_sim::InstallError),
    /// The binaries of the control plane could not be built.
    #[error("{} failed with {status}: its messages are above", script.display())]
    Build {
        /// The script.
        script: PathBuf,
        /// How.
        status: ExitStatus,
    },
    /// One of our own programs is not there.
    #[error("there is no {}: build it with `cargo build -p {package}`", path.display())]
    NotBuilt {
        /// Where it was looked for.
        path: PathBuf,
        /// Its package.
        package: &'static str,
    },
    /// A file is not what it should be.
    #[error("{what}: {wrong}")]
    Malformed {
        /// The file, or the thing.
        what: String,
        /// What is wrong with it.
        wrong: String,
    },
}

/// What the bed's functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// For `map_err` after a call of the API server; `what` is verb and object.
    pub fn api(what: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        move |source| Self::Api {
            what: what.into(),
            source: Box::new(source),
        }
    }

    /// For `map_err` after a call of the operating system.
    pub fn file(verb: &'static str, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File {
            verb,
            path: path.as_ref().to_path_buf(),
            source,
        }
    }
}

/// As a person would have it: tests unwrap, and `unwrap` prints this.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
