//! NVIDIA's MPS control program, the real one: as client of the daemons of a node, and to clean up after them.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::{Error, Result};

/// The daemon of whole GPUs.
const RESOURCE: &str = "nvidia.com/gpu";
/// A client of a daemon that hangs would wait for ever.
const SECONDS: &str = "5";

/// NVIDIA's control program, and the folder in which one node has its daemons.
#[derive(Clone, Debug)]
pub struct Mps {
    control: PathBuf,
    root: PathBuf,
}

impl Mps {
    /// The program that `MPS_CONTROL` names, or that Debian packages. None: it cannot be had, and with `OFFLINE` set that
    /// is no failure.
    ///
    /// # Errors
    /// It cannot be had.
    pub fn control() -> Result<Option<PathBuf>> {
        if let Some(named) = env::var_os("MPS_CONTROL") {
            return Ok(Some(named.into()));
        }
        let script =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../strangers/fetch/nvidia-cuda-mps.sh");
        let output = Command::new("bash").arg(&script).output();
        let output = output.map_err(|source| Error::Spawn {
            program: script.display().to_string(),
            source,
        })?;
        let text = String::from_utf8_lossy(&output.stdout);
        match text.lines().next_back() {
            Some(path) if output.status.success() => Ok(Some(path.into())),
            _ if env::var_os("OFFLINE").is_some() => Ok(None),
            _ => Err(Error::Build {
                script,
                status: output.status,
            }),
        }
    }

    /// The daemons of a node that has this folder for them, which is made. What clients share is the machine's own
    /// `/dev/shm`, as it is the agent's.
    pub(crate) fn of(control: PathBuf, root: PathBuf) -> Result<Self> {
        fs::create_dir_all(&root).map_err(Error::file("create", &root))?;
        let shared = root.join("shm");
        let linked = std::os::unix::fs::symlink("/dev/shm", &shared);
        linked.map_err(Error::file("link", &shared))?;
        Ok(Self { control, root })
    }

    /// As the agent's `--mps-root` wants it.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// As the agent's `--mps-control` wants it.
    pub fn program(&self) -> &Path {
        &self.control
    }

    /// A `PATH` in which the daemon finds its server, which Debian keeps apart.
    pub fn path(&self) -> OsString {
        let bin = self.control.parent().and_then(Path::parent);
        let mut path = bin.map_or_else(OsString::new, |bin| bin.join("sbin").into_os_string());
        path.push(":/usr/bin:/bin");
        path
    }

    /// What the daemon of a resource answers. None: nobody answers.
    pub fn ask(&self, resource: &str, command: &str) -> Option<String> {
        let mut client = Command::new("timeout");
        let client = client
            .arg(SECONDS)
            .arg(&self.control)
            .env("CUDA_MPS_PIPE_DIRECTORY", self.pipe(resource))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut client = client.spawn().ok()?;
        if let Some(mut stdin) = client.stdin.take() {
            // Without a daemon it ends before it reads.
            let _ = writeln!(stdin, "{command}");
        }
        let output = client.wait_with_output().ok()?;
        let said = String::from_utf8_lossy(&output.stdout);
        output.status.success().then(|| said.trim().to_owned())
    }

    /// The same of the daemon of whole GPUs.
    pub fn ask_gpu(&self, command: &str) -> Option<String> {
        self.ask(RESOURCE, command)
    }

    /// A daemon of whole GPUs that is not the agent's, once it answers.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn foreign(&self) -> Result<std::process::Child> {
        let pipe = self.pipe(RESOURCE);
        fs::create_dir_all(&pipe).map_err(Error::file("create", &pipe))?;
        let daemon = Command::new(&self.control)
            .arg("-f")
            .env("CUDA_MPS_PIPE_DIRECTORY", &pipe)
            .env("CUDA_MPS_LOG_DIRECTORY", &pipe)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn();
        daemon.map_err(|source| Error::Spawn {
            program: self.control.display().to_string(),
            source,
        })
    }

    /// The processes of the daemons of this node.
    pub fn daemons(&self) -> Vec<Pid> {
        let is_daemon = |pid: &Pid| {
            let path = format!("/proc/{}/cmdline", pid.as_raw_nonzero());
            let line = fs::read(path).unwrap_or_default();
            line.split(|byte| *byte == 0).nth(1) == Some(b"-f")
        };
        self.processes().into_iter().filter(is_daemon).collect()
    }

    /// Kills these.
    pub fn kill(&self, pids: &[Pid]) {
        for pid in pids {
            // It may have ended by itself.
            let _ = kill_process(*pid, Signal::KILL);
        }
    }

    /// Daemons, servers and clients: whoever has a folder of this node in its environment.
    fn processes(&self) -> Vec<Pid> {
        let root = self.root.as_os_str().as_encoded_bytes();
        let is_ours = |pid: i32| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            let mut variables = environment.split(|byte| *byte == 0);
            variables.any(|variable| {
                let value = variable.strip_prefix(b"CUDA_MPS_PIPE_DIRECTORY=");
                value.is_some_and(|value| value.starts_with(root))
            })
        };
        let Ok(entries) = fs::read_dir("/proc") else {
            return Vec::new();
        };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let pids = names.filter_map(|name| name.parse().ok());
        pids.filter(|pid| is_ours(*pid))
            .filter_map(Pid::from_raw)
            .collect()
    }

    fn pipe(&self, resource: &str) -> PathBuf {
        self.root.join(resource).join("pipe")
    }
}

/// Ends the daemons of a node whose agent was killed and not started again.
#[derive(Debug)]
pub(crate) struct Leftovers(pub(crate) Mps);

impl Drop for Leftovers {
    fn drop(&mut self) {
        self.0.kill(&self.0.processes());
    }
}
