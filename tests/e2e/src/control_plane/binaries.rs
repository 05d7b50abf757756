//! The binaries of the control plane: built once from pinned Go modules, then cached.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use crate::{Error, Result};

static FOUND: Mutex<Option<PathBuf>> = Mutex::new(None);

/// The folder that holds them. The first call in a process asks the build script, which builds what
/// is missing and shows its progress on standard error.
pub fn folder() -> Result<PathBuf> {
    // Whoever panicked while holding it has at most not found the folder.
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(folder) = &*found {
        return Ok(folder.clone());
    }
    let folder = build()?;
    *found = Some(folder.clone());
    Ok(folder)
}

fn build() -> Result<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("control-plane/build.sh");
    let spawned = Command::new("bash")
        .arg(&script)
        .stderr(Stdio::inherit())
        .output();
    let output = spawned.map_err(|source| Error::Spawn {
        program: script.display().to_string(),
        source,
    })?;
    if !output.status.success() {
        return Err(Error::Build {
            script,
            status: output.status,
        });
    }
    let said = String::from_utf8_lossy(&output.stdout);
    said.lines()
        .last()
        .map(PathBuf::from)
        .ok_or_else(|| Error::Malformed {
            what: script.display().to_string(),
            wrong: "it did not print the folder of the binaries".to_owned(),
        })
}
