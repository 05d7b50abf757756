//! Why a daemon cannot be looked after.

use std::io;
use std::path::{Path, PathBuf};

use super::channel::ChannelError;
use super::command::Command;
use crate::driver::DriverError;

/// What was refused or did not work.
#[derive(Debug, thiserror::Error)]
pub enum MpsError {
    /// The operating system refused.
    #[error("cannot {verb} {}", path.display())]
    Io {
        /// What was tried.
        verb: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Another process looks after the same resource.
    #[error("another gpu-sharing-agent serves this resource with {}; end it first", folder.display())]
    Taken {
        /// The folder that both use.
        folder: PathBuf,
    },
    /// What was written down cannot be read.
    #[error(
        "cannot understand {}: {why}; set the compute mode of every GPU to the default (`nvidia-smi -c DEFAULT`), then \
         delete the file",
        path.display()
    )]
    Note {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Clients would not find the memory that they share with the server.
    #[error(
        "{} is not {}, which MPS clients get as their /dev/shm; mount a tmpfs there, and it over /dev/shm of this \
         process, before it starts",
        used.display(),
        shared.display()
    )]
    SharedMemory {
        /// Where the daemon has it.
        used: PathBuf,
        /// Where clients have it.
        shared: PathBuf,
    },
    /// The daemon has not taken a command.
    #[error("the MPS daemon was told `{told}`, and answers {answer:?} to `{asked}`")]
    NotTaken {
        /// What it was told.
        told: Command,
        /// What it was asked then.
        asked: Command,
        /// Its answer.
        answer: String,
    },
    /// The driver.
    #[error(transparent)]
    Driver(#[from] DriverError),
    /// The daemon.
    #[error(transparent)]
    Channel(#[from] ChannelError),
}

/// Names verb and object of an error of the operating system.
pub(super) fn io(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> MpsError {
    let path = path.to_path_buf();
    move |source| MpsError::Io { verb, path, source }
}
