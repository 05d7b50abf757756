//! What can go wrong between two programs, said so that a person knows which of them to look at.

use std::io;
use std::path::PathBuf;

/// A program that did not do what it was asked, or said what cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be started.
    #[error("cannot start {}", program.display())]
    Start {
        /// Path or name.
        program: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It failed.
    #[error("`{command}` ended with {code:?}:\n{said}")]
    Failed {
        /// Name and arguments.
        command: String,
        /// Exit status; none after a signal.
        code: Option<i32>,
        /// What it printed.
        said: String,
    },
    /// Its output has another shape than known.
    #[error("`{command}` printed what cannot be read: {why}")]
    Unreadable {
        /// Name and arguments.
        command: String,
        /// The place, and what was expected there.
        why: String,
    },
    /// One of our own programs was not built.
    #[error("{} is not built: run cargo build -p {package}", path.display())]
    NotBuilt {
        /// Where it would be.
        path: PathBuf,
        /// What builds it.
        package: &'static str,
    },
    /// The simulated driver refused.
    #[error("the simulated GPUs refuse")]
    Simulator(#[from] nvml_sim::Error),
    /// The simulated driver library is not there.
    #[error("the simulated driver library cannot be installed")]
    Library(#[from] nvml_sim::InstallError),
    /// The operating system refused.
    #[error("cannot make a folder for a simulated node")]
    Folder(#[source] io::Error),
    /// Our own driver adapter failed.
    #[error("cannot {what} through our driver adapter")]
    Driver {
        /// Verb and object.
        what: String,
        /// As it says.
        source: gpu::Error,
    },
    /// Two programs see different things.
    #[error("{when}:\n{differences}")]
    Disagree {
        /// After what.
        when: String,
        /// One a line.
        differences: String,
    },
}

/// Of this crate.
pub type Result<T> = std::result::Result<T, Error>;
