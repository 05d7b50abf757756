//! Where things of one daemon are: the paths that NVIDIA's device plugin expects.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The folder of one resource. The resource's name stands in the path with its slash.
#[derive(Clone, Debug)]
pub struct Place {
    /// The folder for all resources, by default `/run/nvidia/mps`.
    pub root: PathBuf,
    /// The advertised name, such as `nvidia.com/gpu`.
    pub resource: String,
}

impl Place {
    /// Sockets and pipes of daemon, servers and clients.
    pub fn pipe(&self) -> PathBuf {
        self.folder().join("pipe")
    }

    /// The server's log.
    pub fn log(&self) -> PathBuf {
        self.folder().join("log")
    }

    /// Is there while the daemon serves with its limits.
    pub fn started(&self) -> PathBuf {
        self.folder().join(".started")
    }

    /// Is there once every resource was served.
    pub fn ready(&self) -> PathBuf {
        self.root.join(".ready")
    }

    /// What clients get as their `/dev/shm`.
    pub fn shared_memory(&self) -> PathBuf {
        self.root.join("shm")
    }

    /// The environment that the daemon and its clients need, and nothing else of ours: a `CUDA_VISIBLE_DEVICES` would
    /// hide GPUs from the daemon. `PATH` is how it finds its server: there, or beside the control program.
    pub fn environment(&self, control: &Path) -> Vec<(&'static str, OsString)> {
        let mut path = std::env::var_os("PATH").unwrap_or_default();
        let beside = control.parent();
        if let Some(beside) = beside.filter(|folder| !folder.as_os_str().is_empty()) {
            path.push(":");
            path.push(beside);
        }
        vec![
            ("CUDA_MPS_PIPE_DIRECTORY", self.pipe().into()),
            ("CUDA_MPS_LOG_DIRECTORY", self.log().into()),
            ("PATH", path),
        ]
    }

    fn folder(&self) -> PathBuf {
        self.root.join(&self.resource)
    }
}
