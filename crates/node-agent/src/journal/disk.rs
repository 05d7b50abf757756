//! What the journal asks of the operating system, one call at a time: an agent can die between any two.

use std::fmt::Debug;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// A disk. Each method is one thing that happens or does not.
pub trait Disk: Debug + Send {
    /// Makes a file, or empties the one that is there.
    fn create(&self, path: &Path) -> io::Result<File>;

    /// Appends to a file. Until [`Self::sync`] a loss of power may take any part of it away.
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()>;

    /// Puts what was written on the disk.
    fn sync(&self, file: &File) -> io::Result<()>;

    /// Gives a file another name, which then nothing else has.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Puts the names in a folder on the disk: until then a loss of power may bring the old ones back.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;
}

/// The disk as the operating system gives it.
#[derive(Clone, Copy, Debug)]
pub struct Files;

impl Disk for Files {
    fn create(&self, path: &Path) -> io::Result<File> {
        File::create(path)
    }

    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }
}
