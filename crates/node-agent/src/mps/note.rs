//! What must outlive us: GPUs whose compute mode is not the default because of us.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::{MpsError, io};
use super::mark::Mark;
use super::place::Place;
use crate::journal::{Disk, Files};

const NOTE: &str = "note.json";
const UNFINISHED: &str = "note.json.new";

/// Written before the first compute mode is set, removed after the last is back at the default.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Note {
    /// Where the daemon is.
    pub root: PathBuf,
    /// What it serves.
    pub resource: String,
    /// UUIDs of the GPUs.
    pub gpus: Vec<String>,
}

/// The folder of one resource for what must outlive us, held by one process.
#[derive(Debug)]
pub struct Notes {
    folder: PathBuf,
    /// The kernel lets go of it when the process ends.
    _lock: File,
}

impl Notes {
    /// Opens the folder of a resource in this one, which is made if need be.
    pub fn open(parent: &Path, resource: &str) -> Result<Self, MpsError> {
        // A resource's name has one slash, and no two differ in that alone.
        let folder = folder_of(parent, resource);
        fs::create_dir_all(&folder).map_err(io("create", &folder))?;
        let path = folder.join("lock");
        let lock = File::create(&path).map_err(io("create", &path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                folder,
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(MpsError::Taken { folder }),
            Err(TryLockError::Error(source)) => Err(io("lock", &path)(source)),
        }
    }

    /// Notes in this folder, whatever the resource: those whose process has died.
    pub fn left(parent: &Path) -> Result<Vec<Note>, MpsError> {
        let entries = match fs::read_dir(parent) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io("list", parent)(error)),
        };
        let mut notes = Vec::new();
        for entry in entries {
            let folder = entry.map_err(io("list", parent))?.path();
            notes.extend(read(&folder.join(NOTE))?);
        }
        Ok(notes)
    }

    /// The note, if there is one.
    pub fn read(&self) -> Result<Option<Note>, MpsError> {
        read(&self.folder.join(NOTE))
    }

    /// Adds GPUs to it. When this returns it is on the disk.
    pub fn add(&self, place: &Place, gpus: &[String]) -> Result<(), MpsError> {
        let mut all = self.read()?.map_or_else(Vec::new, |note| note.gpus);
        all.extend(gpus.iter().cloned());
        all.sort();
        all.dedup();
        let note = Note {
            root: place.root.clone(),
            resource: place.resource.clone(),
            gpus: all,
        };
        let (unfinished, path) = (self.folder.join(UNFINISHED), self.folder.join(NOTE));
        let written = serde_json::to_vec(&note).map_err(Into::into);
        let written = written.and_then(|bytes| {
            let mut file = Files.create(&unfinished)?;
            Files.write(&mut file, &bytes)?;
            Files.sync(&file)?;
            Files.rename(&unfinished, &path)?;
            Files.sync_folder(&self.folder)
        });
        written.map_err(io("write", &path))
    }

    /// Forgets it: everything is given back.
    pub fn remove(&self) -> Result<(), MpsError> {
        let path = self.folder.join(NOTE);
        fs::remove_file(&path).map_err(io("remove", &path))
    }

    /// The mark of the daemons that are started with these notes.
    pub fn mark(&self) -> Mark {
        Mark::new(self.folder.clone())
    }

    /// The same of the notes of a resource in this folder, whoever holds them.
    pub fn mark_in(parent: &Path, resource: &str) -> Mark {
        Mark::new(folder_of(parent, resource))
    }
}

fn folder_of(parent: &Path, resource: &str) -> PathBuf {
    parent.join(resource.replace('/', "_"))
}

fn read(path: &Path) -> Result<Option<Note>, MpsError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&error.kind()) => {
            return Ok(None);
        }
        Err(error) => return Err(io("read", path)(error)),
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| MpsError::Note {
            path: path.to_path_buf(),
            why: error.to_string(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(resource: &str) -> Place {
        Place {
            root: PathBuf::from("/run/nvidia/mps"),
            resource: resource.to_owned(),
        }
    }

    #[test]
    fn a_note_is_found_by_the_next_process_whatever_it_serves() {
        let folder = tempfile::tempdir().unwrap();
        let place = place("nvidia.com/gpu");
        let notes = Notes::open(folder.path(), &place.resource).unwrap();
        assert_eq!(notes.read().unwrap(), None);
        notes.add(&place, &["GPU-2".to_owned()]).unwrap();
        notes
            .add(&place, &["GPU-1".to_owned(), "GPU-2".to_owned()])
            .unwrap();
        let note = Note {
            root: place.root,
            resource: place.resource,
            gpus: vec!["GPU-1".to_owned(), "GPU-2".to_owned()],
        };
        assert_eq!(Notes::left(folder.path()).unwrap(), [note]);
        notes.remove().unwrap();
        assert_eq!(Notes::left(folder.path()).unwrap(), []);
    }

    #[test]
    fn a_resource_is_served_by_one_process() {
        let folder = tempfile::tempdir().unwrap();
        let held = Notes::open(folder.path(), "nvidia.com/gpu").unwrap();
        Notes::open(folder.path(), "nvidia.com/gpu.shared").unwrap();
        let refused = Notes::open(folder.path(), "nvidia.com/gpu");
        assert!(matches!(refused, Err(MpsError::Taken { .. })));
        drop(held);
        Notes::open(folder.path(), "nvidia.com/gpu").unwrap();
    }

    #[test]
    fn a_note_that_nobody_understands_is_no_missing_note() {
        let folder = tempfile::tempdir().unwrap();
        let notes = Notes::open(folder.path(), "nvidia.com/gpu").unwrap();
        fs::write(notes.folder.join(NOTE), "{\"gpus\": [").unwrap();
        assert!(matches!(notes.read(), Err(MpsError::Note { .. })));
        assert!(Notes::left(folder.path()).is_err());
    }
}
