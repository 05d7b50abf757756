//! A node with simulated GPUs, a folder for MPS, and NVIDIA's control program.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nvml_sim::SimulatedNode;
use nvml_sim::state::ComputeMode;
use tempfile::TempDir;

use crate::agent::Agent;

/// Longer than anything here takes, on a machine that does much else.
pub const LONG: Duration = Duration::from_mins(1);
const MOMENT: Duration = Duration::from_millis(2);
const A100: &str = "A100-SXM4-40GB";

/// Who plays the server.
#[derive(Clone, Copy)]
pub enum Server {
    /// NVIDIA's own: exits with status 1, as there is no GPU.
    Real,
    /// A process that lives.
    Sleeps,
}

pub struct Bed {
    pub node: SimulatedNode,
    folder: TempDir,
    control: PathBuf,
    library: PathBuf,
    path: OsString,
}

impl Bed {
    pub fn new(server: Server) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let control = env::var_os("MPS_CONTROL").map(PathBuf::from);
        let control = control.expect("MPS_CONTROL names NVIDIA's program: make mps");
        let bin = control.parent().unwrap();
        let servers = match server {
            Server::Real => bin.parent().unwrap().join("sbin"),
            Server::Sleeps => sleeping(folder.path()),
        };
        let state = folder.path().join("gpus.json");
        let node = SimulatedNode::create(&state, Some(1), &[A100, "T4"]).unwrap();
        fs::create_dir(folder.path().join("mps")).unwrap();
        symlink("/dev/shm", folder.path().join("mps/shm")).unwrap();
        let mut path = servers.into_os_string();
        path.push(":/usr/bin:/bin");
        Self {
            library: nvml_sim::install(&folder.path().join("driver")).unwrap(),
            node,
            control,
            path,
            folder,
        }
    }

    /// An agent that serves four replicas, with what must outlive it in a folder of this name.
    pub fn agent_with(&self, journal: &str) -> Agent {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gpu-sharing-agent"));
        command
            .args(["mps", "--replicas", "4"])
            .arg("--nvml-library")
            .arg(&self.library)
            .arg("--journal-dir")
            .arg(self.folder.path().join(journal))
            .arg("--mps-root")
            .arg(self.folder.path().join("mps"))
            .arg("--mps-control")
            .arg(&self.control)
            .env("NVML_SIM_STATE", self.node.path())
            .env("PATH", &self.path);
        Agent::start(command)
    }

    pub fn agent(&self) -> Agent {
        self.agent_with("journal")
    }

    /// Something in the folder of the resource.
    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join("mps/nvidia.com/gpu").join(name)
    }

    pub fn note(&self) -> PathBuf {
        self.folder
            .path()
            .join("journal/mps/nvidia.com_gpu/note.json")
    }

    /// A daemon that is not ours.
    pub fn foreign_daemon(&self) -> Child {
        fs::create_dir_all(self.at("pipe")).unwrap();
        let mut daemon = self.control();
        let daemon = daemon.arg("-f").stdin(Stdio::null()).stdout(Stdio::null());
        let daemon = daemon.spawn().unwrap();
        eventually("the daemon answers", || self.client("get_server_list").1);
        daemon
    }

    /// What the daemon answers to a command.
    pub fn ask(&self, command: &str) -> String {
        let (said, answered) = self.client(command);
        assert!(answered, "no daemon: {said}");
        said.trim().to_owned()
    }

    pub fn is_served(&self) -> bool {
        self.client("get_server_list").1
    }

    /// The compute modes of the GPUs.
    pub fn modes(&self) -> Vec<ComputeMode> {
        let gpus = self.node.gpus().unwrap();
        gpus.iter().map(|gpu| gpu.compute_mode).collect()
    }

    /// Everything is given back, and nobody is left.
    pub fn assert_given_back(&self) {
        assert_eq!(self.modes(), [ComputeMode::Default; 2]);
        for gone in [self.at(".started"), self.at("log"), self.note()] {
            assert!(!gone.exists(), "{}", gone.display());
        }
        assert!(!self.is_served());
        assert_eq!(self.processes(), Vec::<i32>::new());
    }

    /// All limits are in force.
    pub fn assert_serves(&self) {
        assert_eq!(self.modes(), [ComputeMode::ExclusiveProcess; 2]);
        assert_eq!(self.ask("get_default_active_thread_percentage"), "25.0");
        assert_eq!(self.ask("get_default_device_pinned_mem_limit 0"), "10G");
        assert_eq!(self.ask("get_default_device_pinned_mem_limit 1"), "3G");
        assert!(self.at(".started").exists() && self.note().exists());
    }

    fn client(&self, command: &str) -> (String, bool) {
        let mut client = self.control();
        let client = client.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut client = client.spawn().unwrap();
        // Without a daemon it ends before it reads.
        let _ = writeln!(client.stdin.take().unwrap(), "{command}");
        let output = client.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        (said, output.status.success())
    }

    fn control(&self) -> Command {
        let mut command = Command::new(&self.control);
        command
            .env("CUDA_MPS_PIPE_DIRECTORY", self.at("pipe"))
            .env("CUDA_MPS_LOG_DIRECTORY", self.at("log"))
            .env("PATH", &self.path);
        command
    }

    /// Daemons, servers and clients of this bed.
    fn processes(&self) -> Vec<i32> {
        let ours = self.at("pipe").into_os_string().into_encoded_bytes();
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").unwrap() {
            let entry = entry.unwrap();
            let pid = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse::<i32>().ok());
            let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
            let mut variables = environment.split(|byte| *byte == 0);
            if variables.any(|variable| variable.ends_with(&ours)) {
                found.extend(pid);
            }
        }
        found
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        for pid in self.processes() {
            signal(pid, "KILL");
        }
    }
}

/// A folder with a server that lives.
fn sleeping(folder: &Path) -> PathBuf {
    let folder = folder.join("servers");
    fs::create_dir(&folder).unwrap();
    let server = folder.join("nvidia-cuda-mps-server");
    fs::write(&server, "#!/bin/sh\nexec sleep 1000\n").unwrap();
    fs::set_permissions(&server, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

pub fn signal(pid: i32, name: &str) {
    let mut kill = Command::new("kill");
    kill.args(["-s", name, &pid.to_string()])
        .stderr(Stdio::null());
    // It may have ended by itself.
    let _ = kill.status().unwrap();
}

pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < LONG, "never: {what}");
        thread::sleep(MOMENT);
    }
}
