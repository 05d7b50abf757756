//! The journal after a loss of power at any moment: the old or the new one, whatever of the rest had reached the disk.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::journal::disk::{Disk, Files};
use crate::journal::{Journal, Record};

/// What was asked of the disk.
#[derive(Clone, Debug)]
enum Asked {
    Create(String),
    Write(Vec<u8>),
    Sync,
    Rename(String, String),
    SyncFolder,
}

/// A disk that remembers.
#[derive(Clone, Debug, Default)]
struct Remembers(Arc<Mutex<Vec<Asked>>>);

impl Remembers {
    fn note(&self, asked: Asked) {
        self.0.lock().unwrap().push(asked);
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

impl Disk for Remembers {
    fn create(&self, path: &Path) -> io::Result<File> {
        self.note(Asked::Create(name(path)));
        Files.create(path)
    }

    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        self.note(Asked::Write(bytes.to_vec()));
        Files.write(file, bytes)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.note(Asked::Sync);
        Files.sync(file)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.note(Asked::Rename(name(from), name(to)));
        Files.rename(from, to)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.note(Asked::SyncFolder);
        Files.sync_folder(path)
    }
}

/// A folder as the disk has it: which names lead to which files, and how much of each is safe.
#[derive(Clone, Debug, Default)]
struct Folder {
    files: Vec<(Vec<u8>, bool)>,
    /// As programs see them.
    names: BTreeMap<String, usize>,
    /// What the disk may have: the names at the last sync, and those after each change since.
    possible: Vec<BTreeMap<String, usize>>,
}

impl Folder {
    fn obey(&mut self, asked: &Asked) {
        match asked {
            Asked::Create(name) => {
                self.names.insert(name.clone(), self.files.len());
                self.files.push((Vec::new(), true));
            }
            Asked::Write(bytes) => {
                let file = self.files.last_mut().unwrap();
                file.0.extend(bytes);
                file.1 = false;
            }
            Asked::Sync => self.files.last_mut().unwrap().1 = true,
            Asked::Rename(from, to) => {
                let file = self.names.remove(from).unwrap();
                self.names.insert(to.clone(), file);
            }
            Asked::SyncFolder => self.possible.clear(),
        }
        self.possible.push(self.names.clone());
    }

    /// Every folder that may be found after a loss of power now: of what is not safe, nothing, half or all.
    fn after_power_loss(&self) -> Vec<BTreeMap<String, Vec<u8>>> {
        let mut found = Vec::new();
        for names in &self.possible {
            for kept in [0, 1, 2] {
                let content = |file: &usize| {
                    let (bytes, safe) = &self.files[*file];
                    let length = if *safe {
                        bytes.len()
                    } else {
                        bytes.len() * kept / 2
                    };
                    bytes[..length].to_vec()
                };
                let files = names
                    .iter()
                    .map(|(name, file)| (name.clone(), content(file)));
                found.push(files.collect());
            }
        }
        found
    }
}

fn numbered(number: usize) -> Record {
    let mut record = Record::new();
    record.boot_id = format!("boot {number}");
    record
}

/// The journal that an agent finds in such a folder.
fn found(files: &BTreeMap<String, Vec<u8>>) -> Record {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    let journal = Journal::open(folder.path()).unwrap();
    assert_eq!(
        journal.kept().unwrap().len(),
        0,
        "half a journal: {files:?}"
    );
    journal.record().clone()
}

#[test]
fn a_loss_of_power_leaves_the_old_or_the_new_journal_and_never_takes_away_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Remembers::default();
    let mut journal = Journal::open_on(Box::new(disk.clone()), folder.path()).unwrap();
    // After how many calls each record was written, by the journal's word.
    let mut written = vec![(disk.0.lock().unwrap().len(), Record::new())];
    for number in 1..4 {
        journal.update(|record| *record = numbered(number)).unwrap();
        written.push((disk.0.lock().unwrap().len(), numbered(number)));
    }
    let asked = disk.0.lock().unwrap().clone();
    let (mut on_disk, mut tried) = (Folder::default(), 0);
    for (count, asked) in asked.iter().enumerate() {
        on_disk.obey(asked);
        let safe = written.iter().rposition(|(at, _)| *at <= count + 1);
        let oldest = safe.map_or(0, |safe| safe);
        for files in on_disk.after_power_loss() {
            let record = found(&files);
            let number = written.iter().position(|(_, it)| *it == record).unwrap();
            assert!(
                (oldest..=oldest + 1).contains(&number),
                "{number} after {asked:?}"
            );
            tried += 1;
        }
    }
    assert!(tried > 60, "{tried}");
}
