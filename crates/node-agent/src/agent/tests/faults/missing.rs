//! A driver library that lacks a function.

use std::fs;
use std::path::Path;

/// Writes a copy of the library at `from` in which this symbol has another name, so that no loader finds it.
pub fn without(symbol: &str, from: &Path, to: &Path) {
    let mut library = fs::read(from).unwrap();
    let name = format!("\0{symbol}\0").into_bytes();
    let mut renamed = 0;
    let mut at = 0;
    while let Some(found) = library[at..].windows(name.len()).position(|it| it == name) {
        // The second byte of the name: after the NUL and the `n`.
        library[at + found + 2] = b'V';
        (renamed, at) = (renamed + 1, at + found + 1);
    }
    assert!(renamed > 0, "{symbol} is not in {}", from.display());
    fs::write(to, library).unwrap();
}
