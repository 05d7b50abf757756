//! Putting the built library where a client's loader finds it.

use std::env;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// Names under which clients look for the library.
const NAMES: [&str; 2] = ["libnvidia-ml.so.1", "libnvidia-ml.so"];
/// What cargo calls it.
const BUILT: &str = "libnvml_sim.so";

/// The library could not be put in place.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// It was not built.
    #[error("there is no {BUILT} beside {}: build it with `cargo build -p nvml-sim`", .0.display())]
    NotBuilt(PathBuf),
    /// The operating system refused.
    #[error("cannot {verb} {}: check the path and its permissions", path.display())]
    Io {
        /// What was tried.
        verb: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// Links the library into `folder` as `libnvidia-ml.so.1` and `libnvidia-ml.so`, and returns the
/// path of the first. The folder is made if need be; links that are there are replaced, a file of
/// another kind is not.
///
/// The library is the newest of those beside the running program and in the folders where cargo
/// puts it: `deps` below, or the folder above for a test.
pub fn install(folder: &Path) -> Result<PathBuf, InstallError> {
    let built = built_library()?;
    let io = |verb, path: &Path| {
        let path = path.to_path_buf();
        move |source| InstallError::Io { verb, path, source }
    };
    fs::create_dir_all(folder).map_err(io("create", folder))?;
    for name in NAMES {
        let link = folder.join(name);
        if link.is_symlink() {
            fs::remove_file(&link).map_err(io("replace", &link))?;
        }
        symlink(&built, &link).map_err(io("link", &link))?;
    }
    Ok(folder.join(NAMES[0]))
}

fn built_library() -> Result<PathBuf, InstallError> {
    let program = env::current_exe().map_err(|source| InstallError::Io {
        verb: "find",
        path: "/proc/self/exe".into(),
        source,
    })?;
    let beside = program.parent().unwrap_or(Path::new("/"));
    let above = beside.parent().unwrap_or(beside);
    // Of equally new ones the last is taken: cargo links the same file to two places.
    [
        beside.join("deps").join(BUILT),
        above.join(BUILT),
        beside.join(BUILT),
    ]
    .into_iter()
    .filter_map(|path| Some((fs::metadata(&path).ok()?.modified().ok()?, path)))
    .max_by_key(|(modified, _)| *modified)
    .map(|(_, path)| path)
    .ok_or(InstallError::NotBuilt(program))
}
