//! The state file: read whole, changed under a lock, replaced atomically.
//!
//! Readers take no lock: a rename swaps the whole file, so what they read is one state. Writers
//! hold an exclusive lock on a file beside it from reading until the new file is in place and
//! synced. A writer that dies leaves the old state, and at most a temporary file that the next
//! writer overwrites.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::state::State;

/// Where a node's state lives.
#[derive(Clone, Debug)]
pub struct Store {
    path: PathBuf,
}

/// A state file that cannot be used. It is never overwritten.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is none.
    #[error("there is no state file {}: create it with `nvml-sim ctl --state {} init`", .0.display(), .0.display())]
    Missing(PathBuf),
    /// There is one where a new one was to be made.
    #[error("{} exists: choose another path, or remove it to start afresh", .0.display())]
    Exists(PathBuf),
    /// The operating system refused.
    #[error("cannot {verb} {}: check the path, its permissions and the free space", path.display())]
    Io {
        /// What was tried.
        verb: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Not a state file.
    #[error("{} is not a state file of nvml-sim and is left as it is: mend or remove it", path.display())]
    Unparsable {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        source: serde_json::Error,
    },
    /// A state that breaks the rules.
    #[error("{} holds an impossible state and is left as it is: {wrong}", path.display())]
    Impossible {
        /// The file.
        path: PathBuf,
        /// The first thing wrong.
        wrong: String,
    },
}

impl Store {
    /// The store at `path`; nothing is touched yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Writes the state of a new node.
    ///
    /// # Errors
    /// [`StoreError::Exists`] if a file is there, whatever it holds.
    pub fn create(&self, state: &State) -> Result<(), StoreError> {
        let _lock = self.lock()?;
        match self.path.try_exists() {
            Ok(false) => {}
            Ok(true) => return Err(StoreError::Exists(self.path.clone())),
            Err(source) => return Err(self.failed("look for", source)),
        }
        self.replace(state)?;
        self.write_boot_id(state)
    }

    /// One state, as some writer left it.
    pub fn read(&self) -> Result<State, StoreError> {
        let bytes = std::fs::read(&self.path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => StoreError::Missing(self.path.clone()),
            _ => self.failed("read", source),
        })?;
        let path = || self.path.clone();
        let state: State =
            serde_json::from_slice(&bytes).map_err(|source| StoreError::Unparsable {
                path: path(),
                source,
            })?;
        state.check().map_err(|wrong| StoreError::Impossible {
            path: path(),
            wrong,
        })?;
        Ok(state)
    }

    /// Applies `change` to the state; what it leaves is written if it differs.
    ///
    /// # Errors
    /// As [`Self::read`]; then `change` was not called. If the new state cannot be written, the
    /// old one stands.
    pub fn update<T>(&self, change: impl FnOnce(&mut State) -> T) -> Result<T, StoreError> {
        let _lock = self.lock()?;
        let before = self.read()?;
        let mut state = before.clone();
        let result = change(&mut state);
        if state != before {
            self.replace(&state)?;
        }
        if state.boot_id != before.boot_id {
            self.write_boot_id(&state)?;
        }
        Ok(result)
    }

    /// Makes the boot id file agree with the state, should a writer have died between the two.
    pub fn repair_boot_id(&self) -> Result<(), StoreError> {
        let _lock = self.lock()?;
        self.write_boot_id(&self.read()?)
    }

    /// The file that holds the boot id, as `/proc/sys/kernel/random/boot_id` on a real node.
    pub fn boot_id_path(&self) -> PathBuf {
        self.beside(".boot-id")
    }

    fn write_boot_id(&self, state: &State) -> Result<(), StoreError> {
        self.replace_file(
            &self.boot_id_path(),
            format!("{}\n", state.boot_id).as_bytes(),
        )
    }

    fn lock(&self) -> Result<File, StoreError> {
        let path = self.beside(".lock");
        let open = OpenOptions::new().create(true).append(true).open(&path);
        open.and_then(|file| {
            flock(&file, FlockOperation::LockExclusive)?;
            Ok(file)
        })
        .map_err(|source| StoreError::Io {
            verb: "lock",
            path,
            source,
        })
    }

    fn replace(&self, state: &State) -> Result<(), StoreError> {
        let mut json = serde_json::to_vec_pretty(state)
            .map_err(|source| self.failed("encode", io::Error::other(source)))?;
        json.push(b'\n');
        self.replace_file(&self.path, &json)
    }

    /// Old or new at every moment: written beside, synced, renamed, and the folder synced.
    fn replace_file(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let temporary = self.beside(".tmp");
        let write = || -> io::Result<()> {
            let mut file = File::create(&temporary)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            std::fs::rename(&temporary, path)?;
            let folder = path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty());
            File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
        };
        write().map_err(|source| StoreError::Io {
            verb: "write",
            path: path.into(),
            source,
        })
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name: OsString = self.path.clone().into();
        name.push(suffix);
        name.into()
    }

    fn failed(&self, verb: &'static str, source: io::Error) -> StoreError {
        StoreError::Io {
            verb,
            path: self.path.clone(),
            source,
        }
    }
}

#[cfg(test)]
mod tests;
