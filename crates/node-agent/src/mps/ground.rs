//! The directories of a daemon, as NVIDIA's device plugin and its clients expect them.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::linux::fs::MetadataExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{XattrFlags, setxattr};

use super::error::{MpsError, io};
use super::place::Place;

/// Containers may use what has this label.
const LABEL: &str = "system_u:object_r:container_file_t:s0";
/// Is there where the kernel enforces such labels.
const SELINUX: &str = "/sys/fs/selinux";

/// Makes the directories for a daemon. What a dead one has left in them, the next uses again.
pub fn prepare(place: &Place) -> Result<(), MpsError> {
    for folder in [place.pipe(), place.log()] {
        fs::create_dir_all(&folder).map_err(io("create", &folder))?;
        let readable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(&folder, readable).map_err(io("open to everybody", &folder))?;
    }
    if Path::new(SELINUX).exists() {
        let pipe = place.pipe();
        label(&pipe, &give_label).map_err(io("label", &pipe))?;
    }
    Ok(())
}

/// Clients have `shared_memory` as their `/dev/shm`; they only find the server if the daemon has the same.
pub fn check_shared_memory(place: &Place, used: &Path) -> Result<(), MpsError> {
    let identity = |path: &Path| -> Result<_, MpsError> {
        let found = fs::metadata(path).map_err(io("look at", path))?;
        Ok((found.st_dev(), found.st_ino()))
    };
    let shared = place.shared_memory();
    if identity(used)? == identity(&shared)? {
        return Ok(());
    }
    Err(MpsError::SharedMemory {
        used: used.to_path_buf(),
        shared,
    })
}

/// Says that the daemon serves.
pub fn mark_started(place: &Place) -> Result<(), MpsError> {
    for file in [place.started(), place.ready()] {
        fs::write(&file, "").map_err(io("write", &file))?;
    }
    Ok(())
}

/// Removes what says so, and the logs.
pub fn clear(place: &Place) -> Result<(), MpsError> {
    for file in [place.started(), place.ready()] {
        gone(fs::remove_file(&file)).map_err(io("remove", &file))?;
    }
    let log = place.log();
    gone(fs::remove_dir_all(&log)).map_err(io("remove", &log))
}

fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Labels a folder and all that is in it.
fn label(path: &Path, give: &impl Fn(&Path) -> io::Result<()>) -> io::Result<()> {
    give(path)?;
    if fs::symlink_metadata(path)?.is_dir() {
        for entry in fs::read_dir(path)? {
            let entry: PathBuf = entry?.path();
            label(&entry, give)?;
        }
    }
    Ok(())
}

fn give_label(path: &Path) -> io::Result<()> {
    setxattr(
        path,
        "security.selinux",
        LABEL.as_bytes(),
        XattrFlags::empty(),
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn place(root: &Path) -> Place {
        Place {
            root: root.to_path_buf(),
            resource: "nvidia.com/gpu".to_owned(),
        }
    }

    #[test]
    fn the_directories_are_where_the_plugin_looks_and_open_to_everybody() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path());
        prepare(&place).unwrap();
        prepare(&place).unwrap();
        for path in ["nvidia.com/gpu/pipe", "nvidia.com/gpu/log"] {
            let found = fs::metadata(folder.path().join(path)).unwrap();
            assert_eq!(found.permissions().mode() & 0o777, 0o755);
        }
        mark_started(&place).unwrap();
        for path in ["nvidia.com/gpu/.started", ".ready"] {
            assert!(folder.path().join(path).is_file());
        }
        clear(&place).unwrap();
        clear(&place).unwrap();
        for (path, stays) in [
            ("nvidia.com/gpu/pipe", true),
            ("nvidia.com/gpu/log", false),
            ("nvidia.com/gpu/.started", false),
            (".ready", false),
        ] {
            assert_eq!(folder.path().join(path).exists(), stays, "{path}");
        }
    }

    #[test]
    fn the_label_is_given_to_everything_in_the_pipe_directory() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path());
        prepare(&place).unwrap();
        fs::write(place.pipe().join("control"), "").unwrap();
        let labelled = RefCell::new(Vec::new());
        let give = |path: &Path| {
            labelled.borrow_mut().push(path.to_path_buf());
            Ok(())
        };
        label(&place.pipe(), &give).unwrap();
        let expected = [place.pipe(), place.pipe().join("control")];
        assert_eq!(labelled.into_inner(), expected);
    }

    #[test]
    fn the_daemon_must_have_the_shared_memory_of_its_clients() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let place = place(folder.path());
        assert!(check_shared_memory(&place, other.path()).is_err());
        std::os::unix::fs::symlink(other.path(), place.shared_memory()).unwrap();
        check_shared_memory(&place, other.path()).unwrap();
        let differs = check_shared_memory(&place, folder.path());
        assert!(matches!(differs, Err(MpsError::SharedMemory { .. })));
    }
}
