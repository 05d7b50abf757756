//! The file: read once, written whole, on the disk before anything relies on it.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::record::VERSION;
use super::{JournalError, Record};

const FILE: &str = "journal.json";
const UNFINISHED: &str = "journal.json.new";
const LOCK: &str = "lock";

/// The journal of one node, held by one agent.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    record: Record,
    /// Held as long as this is open; the kernel lets go of it when the process ends.
    _lock: File,
}

impl Journal {
    /// Opens the journal in this folder, which is made if need be. Without a file nothing is known yet.
    ///
    /// # Errors
    /// A file that this agent does not understand is left as it is.
    pub fn open(folder: &Path) -> Result<Self, JournalError> {
        fs::create_dir_all(folder).map_err(io("create", folder))?;
        let lock = lock(folder)?;
        let journal = Self {
            folder: folder.to_path_buf(),
            record: read(&folder.join(FILE))?,
            _lock: lock,
        };
        // So that a folder that cannot be written is known before an operation needs it.
        journal.put(&journal.record)?;
        Ok(journal)
    }

    /// What is written.
    pub fn record(&self) -> &Record {
        &self.record
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

    fn put(&self, record: &Record) -> Result<(), JournalError> {
        let (path, unfinished) = (self.folder.join(FILE), self.folder.join(UNFINISHED));
        let bytes = serde_json::to_vec_pretty(record).map_err(io::Error::from);
        let written = bytes.and_then(|bytes| write_through(&unfinished, &bytes));
        written.map_err(io("write", &unfinished))?;
        fs::rename(&unfinished, &path).map_err(io("replace", &path))?;
        // The rename itself must survive a loss of power too.
        let folder = File::open(&self.folder).and_then(|folder| folder.sync_all());
        folder.map_err(io("write through", &self.folder))
    }
}

fn write_through(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
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

fn read(path: &Path) -> Result<Record, JournalError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Record::new()),
        Err(error) => return Err(io("read", path)(error)),
    };
    parse(&bytes).map_err(|wrong| JournalError::Unreadable {
        path: path.to_path_buf(),
        wrong,
    })
}

fn parse(bytes: &[u8]) -> Result<Record, String> {
    let json: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let version = json.get("version").and_then(Value::as_u64);
    if version != Some(VERSION.into()) {
        let found = version.map_or_else(|| "none".to_owned(), |version| version.to_string());
        return Err(format!(
            "its version is {found}, and this agent knows {VERSION}"
        ));
    }
    serde_json::from_value(json).map_err(|error| error.to_string())
}

fn io(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> JournalError {
    let path = path.to_path_buf();
    move |source| JournalError::Io { verb, path, source }
}
