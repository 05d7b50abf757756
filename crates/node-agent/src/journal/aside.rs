//! Journals that nobody can read: kept under names of their own for as long as no person takes them away.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Followed by a number.
const KEPT: &str = "journal.json.unreadable-";

/// The files that are kept in a folder, by name.
pub fn kept(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if number(&entry.file_name().to_string_lossy()).is_some() {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// A name that no file in the folder has. Only the holder of the journal's lock may rely on that.
pub fn free_name(folder: &Path) -> io::Result<PathBuf> {
    let names = kept(folder)?;
    let names = names.iter().filter_map(|path| path.file_name());
    let last = names
        .filter_map(|name| number(&name.to_string_lossy()))
        .max();
    let next = last.map_or(1, |last| last.saturating_add(1));
    Ok(folder.join(format!("{KEPT}{next}")))
}

fn number(name: &str) -> Option<u32> {
    name.strip_prefix(KEPT)?.parse().ok()
}
