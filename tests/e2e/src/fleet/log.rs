//! What a node did, in a file beside its GPUs.

use std::fmt::Display;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use jiff::Timestamp;

use crate::{Error, Result};

/// A log that is read when a test fails.
#[derive(Debug)]
pub struct Log(File);

impl Log {
    /// Appends to `path`.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::options().create(true).append(true).open(path);
        file.map(Self).map_err(Error::file("open", path))
    }

    /// Adds a line. One that cannot be written is lost: there is nobody to tell.
    pub fn say(&mut self, line: impl Display) {
        let _ = writeln!(self.0, "{} {line}", Timestamp::now());
    }
}
