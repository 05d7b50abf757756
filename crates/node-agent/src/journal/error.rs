//! Why there is no journal.

use std::io;
use std::path::PathBuf;

use plan::reason::Reason;

/// Why the journal cannot be read or written. While it is so, nothing is changed on the GPUs.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The operating system refused.
    #[error(
        "cannot {verb} {}; let the agent have this folder to itself, writable and on a disk that has room",
        path.display()
    )]
    Io {
        /// What was tried.
        verb: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Another agent uses the folder.
    #[error(
        "another gpu-sharing-agent uses the journal in {}; end it, or give this one a folder of its own with --journal-dir",
        folder.display()
    )]
    Taken {
        /// Which folder.
        folder: PathBuf,
    },
}

impl JournalError {
    /// One word for conditions.
    pub const fn reason(&self) -> Reason {
        match self {
            Self::Io { .. } => Reason::JournalUnwritable,
            Self::Taken { .. } => Reason::JournalTaken,
        }
    }
}
