//! Where the programs of others are; the scripts in `fetch` get them.

use std::path::PathBuf;
use std::process::Command;

use crate::{Error, Result};

/// NVIDIA's nvidia-smi, as Debian packages it.
///
/// # Errors
/// It cannot be had; `make strangers` says when that is no failure.
pub fn nvidia_smi() -> Result<PathBuf> {
    fetch("nvidia-smi.sh")
}

/// The folder with NVIDIA's Python bindings and programs on top of them, for `PYTHONPATH`.
///
/// # Errors
/// As [`nvidia_smi`].
pub fn python_packages() -> Result<PathBuf> {
    fetch("python.sh")
}

/// The last line of a script, which is a path.
fn fetch(script: &str) -> Result<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("fetch")
        .join(script);
    let output = Command::new("bash").arg(&path).output();
    let output = output.map_err(|source| Error::Start {
        program: path,
        source,
    })?;
    let text = String::from_utf8_lossy(&output.stdout);
    match (output.status.success(), text.lines().next_back()) {
        (true, Some(path)) => Ok(path.into()),
        (true, None) | (false, _) => Err(Error::Failed {
            command: script.to_owned(),
            code: output.status.code(),
            said: String::from_utf8_lossy(&output.stderr).into_owned(),
        }),
    }
}
