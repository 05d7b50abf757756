//! The file: read once, written whole, on the disk before anything relies on it.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::disk::{Disk, Files};
use super::{JournalError, Record, aside, format};

const FILE: &str = "journal.json";
const UNFINISHED: &str = "journal.json.new";
const LOCK: &str = "lock";

/// The journal of one node, held by one agent.
#[derive(Debug)]
pub struct Journal {
    disk: Box<dyn Disk>,
    folder: PathBuf,
    record: Record,
    /// Held as long as this is open; the kernel lets go of it when the process ends.
    lock: File,
}

impl Journal {
    /// Opens the journal in this folder, which is made if need be. Without a file nothing is known yet.
    ///
    /// A file that this agent does not understand is put aside and kept for a person, and nothing is known: see
    /// [`Self::kept`].
    pub fn open(folder: &Path) -> Result<Self, JournalError> {
        Self::open_on(Box::new(Files), folder)
    }

    /// The same on this disk.
    pub fn open_on(disk: Box<dyn Disk>, folder: &Path) -> Result<Self, JournalError> {
        fs::create_dir_all(folder).map_err(io("create", folder))?;
        let lock = lock(folder)?;
        let mut journal = Self {
            disk,
            folder: folder.to_path_buf(),
            record: Record::new(),
            lock,
        };
        journal.read()?;
        // So that a folder that cannot be written is known before an operation needs it.
        journal.put(&journal.record)?;
        Ok(journal)
    }

    /// What is written.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Journals that nobody could read, until a person takes them away: what they said is unknown.
    pub fn kept(&self) -> Result<Vec<PathBuf>, JournalError> {
        aside::kept(&self.folder).map_err(io("list", &self.folder))
    }

    /// Writes what `change` makes of the record, if that differs. When this returns it is on the disk.
    ///
    /// # Errors
    /// The old record stays here; the disk has the old one or the new one.
    pub fn update(&mut self, change: impl FnOnce(&mut Record)) -> Result<(), JournalError> {
        let mut record = self.record.clone();
        change(&mut record);
        if record != self.record {
            self.put(&record)?;
            self.record = record;
        }
        Ok(())
    }

    fn read(&mut self) -> Result<(), JournalError> {
        let path = self.folder.join(FILE);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(io("read", &path)(error)),
        };
        match format::parse(&bytes) {
            Ok(record) => self.record = record,
            Err(wrong) => self.put_aside(&path, &wrong)?,
        }
        Ok(())
    }

    fn put_aside(&self, path: &Path, wrong: &str) -> Result<(), JournalError> {
        let name = aside::free_name(&self.folder).map_err(io("list", &self.folder))?;
        self.rename(path, &name)?;
        tracing::error!(
            kept = %name.display(),
            "cannot read the journal {}: {wrong}; it is kept, and what it said is unknown",
            path.display()
        );
        Ok(())
    }

    fn put(&self, record: &Record) -> Result<(), JournalError> {
        let (path, unfinished) = (self.folder.join(FILE), self.folder.join(UNFINISHED));
        let bytes = format::print(record).map_err(io::Error::from);
        let written = bytes.and_then(|bytes| self.write_through(&unfinished, &bytes));
        written.map_err(io("write", &unfinished))?;
        self.rename(&unfinished, &path)
    }

    fn write_through(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.disk.create(path)?;
        self.disk.write(&mut file, bytes)?;
        self.disk.sync(&file)
    }

    /// The new name itself must survive a loss of power too.
    fn rename(&self, from: &Path, to: &Path) -> Result<(), JournalError> {
        self.disk.rename(from, to).map_err(io("replace", to))?;
        let synced = self.disk.sync_folder(&self.folder);
        synced.map_err(io("write through", &self.folder))
    }
}

impl Drop for Journal {
    /// Lets go at once: a program that another thread is just starting has the file too, until it has begun.
    fn drop(&mut self) {
        // The kernel lets go of it in the end.
        let _ = self.lock.unlock();
    }
}

fn lock(folder: &Path) -> Result<File, JournalError> {
    let path = folder.join(LOCK);
    let file = File::create(&path).map_err(io("create", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::Taken {
            folder: folder.to_path_buf(),
        }),
        Err(TryLockError::Error(source)) => Err(io("lock", &path)(source)),
    }
}

fn io(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> JournalError {
    let path = path.to_path_buf();
    move |source| JournalError::Io { verb, path, source }
}
