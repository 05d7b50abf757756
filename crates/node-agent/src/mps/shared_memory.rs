//! The memory that clients share with their server: a tmpfs on the host, below the folder that the device plugin knows.

use std::fs;
use std::os::linux::fs::MetadataExt;
use std::path::{Path, PathBuf};

use clap::Args;
use rustix::mount::{MountFlags, mount};

use super::error::{MpsError, io};

/// Where to mount it.
#[derive(Clone, Debug, Args)]
pub struct SharedMemoryArgs {
    /// Folder that NVIDIA's device plugin looks for MPS daemons in; the memory is its `shm`
    #[arg(long, default_value = "/run/nvidia/mps", value_name = "FOLDER")]
    pub mps_root: PathBuf,
}

/// Mounts a tmpfs of at most half of the node's memory, which is what a tmpfs is without a word about it and what NVIDIA's
/// own daemon set mounts (k8s-device-plugin, `cmd/mps-control-daemon/mount/mount-shm.go`). One that is there stays: clients
/// that run have it.
///
/// # Errors
/// The folder cannot be made, or nothing can be mounted on it.
pub fn share_memory(args: &SharedMemoryArgs) -> Result<(), MpsError> {
    let (root, shared) = (&args.mps_root, args.mps_root.join("shm"));
    fs::create_dir_all(&shared).map_err(io("create", &shared))?;
    if device(&shared)? != device(root)? {
        return Ok(());
    }
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC | MountFlags::RELATIME;
    let mounted = mount("tmpfs", &shared, "tmpfs", flags, c"mode=1777");
    mounted.map_err(|error| io("mount a tmpfs on", &shared)(error.into()))
}

/// The file system that a folder is on.
fn device(path: &Path) -> Result<u64, MpsError> {
    let found = fs::metadata(path).map_err(io("look at", path))?;
    Ok(found.st_dev())
}
