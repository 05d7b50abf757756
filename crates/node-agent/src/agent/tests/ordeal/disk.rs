//! The journal's disk on which the agent may die between any two calls, and in the middle of a write.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::journal::{Disk, Files};

/// Asks the gatekeeper, if there is one. Clones use one connection.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Mutex<Option<BufReader<UnixStream>>>>);

impl Gate {
    pub fn connect() -> Self {
        let path = std::env::var_os("NVML_SIM_GATE");
        let keeper = path.map(|path| BufReader::new(UnixStream::connect(path).unwrap()));
        Self(Arc::new(Mutex::new(keeper)))
    }

    /// Does something between two points.
    pub fn pass<T>(&self, name: &str, work: impl FnOnce() -> T) -> T {
        self.point(&format!("{name} begins"));
        let done = work();
        self.point(&format!("{name} ends"));
        done
    }

    fn point(&self, name: &str) {
        let mut keeper = self.0.lock().unwrap();
        let Some(keeper) = keeper.as_mut() else {
            return;
        };
        writeln!(keeper.get_mut(), "{name}").unwrap();
        let mut answer = String::new();
        keeper.read_line(&mut answer).unwrap();
    }
}

impl Disk for Gate {
    fn create(&self, path: &Path) -> io::Result<File> {
        self.pass("journal create", || Files.create(path))
    }

    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        let (one, other) = bytes.split_at(bytes.len() / 2);
        self.pass("journal first half", || Files.write(file, one))?;
        self.pass("journal second half", || Files.write(file, other))
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.pass("journal sync", || Files.sync(file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.pass("journal rename", || Files.rename(from, to))
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.pass("journal sync folder", || Files.sync_folder(path))
    }
}
