//! Our operator and agents: the real binaries on the host, with the rights of their pods.
//!
//! The chart's workloads make the pods, KWOK plays them, and a token bound to such a
//! pod is what the program has: what the chart does not grant, it cannot do.

mod credentials;
mod metrics;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use kube::Client;
use rustix::process::{Pid, Signal};

pub use metrics::Metrics;

use crate::child::Child;
use crate::control_plane::client_of;
use crate::eventually::{Look, PATIENCE, eventually};
use crate::http_get::http_get;
use crate::install::NAMESPACE;
use crate::{Bed, Error, FakeNode, PluginConfigMap, Result};
use credentials::PodOf;

/// A program that can be started, ended in several ways, and started again.
#[derive(Debug)]
pub struct Program {
    name: String,
    binary: Binary,
    folder: PathBuf,
    arguments: Vec<(String, OsString)>,
    environment: Vec<(String, OsString)>,
    pod: PodOf,
    group: Option<Pid>,
    bed_folder: PathBuf,
    server: String,
    child: Option<Child>,
}

impl Program {
    /// The operator; `name` tells several apart.
    pub fn operator(bed: &Bed, name: &str) -> Result<Self> {
        Self::new(bed, name, Binary::Operator, PodOf::operator()).map(Self::operates)
    }

    /// The operator as helm runs it before the chart is uninstalled.
    pub fn wind_down(bed: &Bed) -> Result<Self> {
        let program = Self::new(bed, "wind-down", Binary::Operator, PodOf::wind_down())?;
        Ok(program
            .operates()
            .arg("--wind-down", "gpu-sharing-operator"))
    }

    fn operates(self) -> Self {
        let configs = PluginConfigMap::default();
        self.arg("--lease-namespace", NAMESPACE)
            .arg("--device-plugin-namespace", configs.namespace)
            .arg("--device-plugin-configmap", configs.name)
            // Here it reaches the node at once.
            .arg("--device-plugin-config-delay", "0s")
    }

    /// The agent of a node.
    pub fn agent(bed: &Bed, node: &FakeNode) -> Result<Self> {
        let name = format!("agent-{}", node.name());
        let program = Self::new(bed, &name, Binary::Agent, PodOf::agent(node.name()))?;
        let program = match node.mps() {
            None => program,
            Some(mps) => program
                .arg("--mps-enabled", "true")
                .arg("--mps-root", mps.root())
                .arg("--mps-control", mps.program())
                .env("PATH", mps.path()),
        };
        Ok(program
            .arg("--node-name", node.name())
            .arg("--nvml-library", node.driver_library())
            .arg("--nvidia-smi", node.nvidia_smi())
            .arg("--pod-resources-socket", node.pod_resources_socket())
            .arg("--journal-dir", node.journal_folder())
            .arg("--boot-id-file", node.gpus().boot_id_path())
            .env("NVML_SIM_STATE", node.gpus().path()))
    }

    fn new(bed: &Bed, name: &str, binary: Binary, pod: PodOf) -> Result<Self> {
        let folder = bed.folder().join("programs").join(name);
        fs::create_dir_all(&folder).map_err(Error::file("create", &folder))?;
        let program = Self {
            name: name.to_owned(),
            binary,
            arguments: Vec::new(),
            environment: Vec::new(),
            pod,
            group: bed.group(),
            bed_folder: bed.folder().to_path_buf(),
            server: bed.server(),
            child: None,
            folder,
        };
        let (kubeconfig, port) = (program.kubeconfig(), program.port_file());
        Ok(program
            .arg("--kubeconfig", kubeconfig)
            .arg("--admin-address", "127.0.0.1:0")
            .arg("--admin-port-file", port)
            .arg("--log-format", "text"))
    }

    /// With a flag more, or with another value for a flag that it has.
    #[must_use]
    pub fn arg(mut self, flag: &str, value: impl Into<OsString>) -> Self {
        let value = value.into();
        match self.arguments.iter_mut().find(|(known, _)| known == flag) {
            Some((_, old)) => *old = value,
            None => self.arguments.push((flag.to_owned(), value)),
        }
        self
    }

    /// With an environment variable more.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Speaking to the API server through this URL.
    #[must_use]
    pub fn through(mut self, url: String) -> Self {
        self.server = url;
        self
    }

    /// Waits for its pod, and gets a token of the pod's service account that is bound to it.
    pub async fn authorize(&self, client: &Client) -> Result<()> {
        let token = self.pod.token(client).await?;
        credentials::write(&self.folder, &self.bed_folder, &self.server, &token)
    }

    /// A client with its rights, once it has been authorized.
    pub async fn client(&self) -> Result<Client> {
        client_of(&self.kubeconfig()).await
    }

    /// Authorizes it, starts it, and waits until it says where its metrics are.
    ///
    /// # Errors
    /// [`Error::NotBuilt`]; [`Error::Ended`] with the end of its log, if it ends before that.
    pub async fn start(&mut self, client: &Client) -> Result<()> {
        self.spawn(client).await?;
        let what = format!("{} listens", self.name);
        eventually(&what, PATIENCE, async || {
            self.check()?;
            Ok(match self.address() {
                Ok(_) => Look::Done(()),
                Err(error) => Look::NotYet(format!("{error:?}")),
            })
        })
        .await
    }

    /// Authorizes it and starts it; whether it goes on is another question.
    pub async fn spawn(&mut self, client: &Client) -> Result<()> {
        self.kill();
        self.authorize(client).await?;
        // Of an earlier run.
        let _ = fs::remove_file(self.port_file());
        let mut command = Command::new(self.binary.path()?);
        for (flag, value) in &self.arguments {
            command.arg(flag).arg(value);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let child = Child::spawn(&self.name, command, &self.log_file(), self.group)?;
        self.child = Some(child);
        Ok(())
    }

    /// Whether it was started and has not ended, frozen or not.
    pub fn runs(&mut self) -> bool {
        let child = self.child.as_mut();
        child.is_some_and(|child| matches!(child.ended(), Ok(None)))
    }

    /// Whether `/readyz` says so.
    pub async fn is_ready(&self) -> bool {
        self.get("/readyz").await.is_ok()
    }

    /// Waits until `/readyz` says so.
    pub async fn wait_ready(&mut self) -> Result<()> {
        let what = format!("{} is ready", self.name);
        eventually(&what, PATIENCE, async || {
            self.check()?;
            Ok(match self.get("/readyz").await {
                Ok(_) => Look::Done(()),
                Err(error) => Look::NotYet(format!("{error:?}")),
            })
        })
        .await
    }

    /// Whether it runs.
    ///
    /// # Errors
    /// [`Error::Ended`] with the end of its log.
    pub fn check(&mut self) -> Result<()> {
        self.child.as_mut().map_or(Ok(()), Child::check)
    }

    /// Waits until it has ended by itself.
    pub async fn wait_ended(&mut self) -> Result<ExitStatus> {
        let what = format!("{} ends", self.name);
        eventually(&what, PATIENCE, async || {
            let ended = self.child.as_mut().map_or(Ok(None), Child::ended)?;
            Ok(ended.map_or_else(|| Look::NotYet(self.log()), Look::Done))
        })
        .await
    }

    /// Kills it (SIGKILL) and waits until it is gone. The tokens stay: start it again.
    pub fn kill(&mut self) {
        self.child = None;
    }

    /// Asks it to end (SIGTERM) and waits until it does.
    pub async fn terminate(&mut self) -> Result<Option<ExitStatus>> {
        match self.child.take() {
            None => Ok(None),
            Some(mut child) => child.terminate(Duration::from_secs(30)).await.map(Some),
        }
    }

    /// Asks it to end (SIGTERM), and does not wait. A frozen one ends when it goes on.
    pub fn ask_to_end(&mut self) -> Result<()> {
        self.signal(Signal::TERM)
    }

    /// Freezes it: it is there and does nothing.
    pub fn pause(&mut self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets a frozen one go on.
    pub fn resume(&mut self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&mut self, signal: Signal) -> Result<()> {
        let child = self.child.as_mut();
        child.map_or(Ok(()), |child| child.signal(signal))
    }

    /// Everything that it said, in all its runs.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// What it answers at a path of its admin address.
    pub async fn get(&self, path: &str) -> Result<String> {
        http_get(&format!("http://{}{path}", self.address()?)).await
    }

    /// Its metrics.
    pub async fn metrics(&self) -> Result<Metrics> {
        Metrics::parse(&self.get("/metrics").await?)
    }

    /// Bytes of memory that it holds (resident); none if it does not run.
    pub fn resident_memory(&self) -> Option<u64> {
        let pid = self.child.as_ref()?.pid().as_raw_nonzero();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kibibytes * 1024)
    }

    fn address(&self) -> Result<String> {
        let path = self.port_file();
        fs::read_to_string(&path).map_err(Error::file("read", &path))
    }

    fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    fn port_file(&self) -> PathBuf {
        self.folder.join("admin-address")
    }

    fn log_file(&self) -> PathBuf {
        self.bed_folder
            .join("logs")
            .join(format!("{}.log", self.name))
    }
}

/// A binary of a package of this workspace, where cargo puts it: beside the caller's own, or above, because a test is in
/// `deps`.
///
/// # Errors
/// [`Error::NotBuilt`].
pub fn built(name: &str, package: &'static str) -> Result<PathBuf> {
    let test = std::env::current_exe().map_err(Error::file("find", "/proc/self/exe"))?;
    let beside = test.parent().unwrap_or(Path::new("/"));
    let above = beside.parent().filter(|_| beside.ends_with("deps"));
    let path = above.unwrap_or(beside).join(name);
    if path.is_file() {
        Ok(path)
    } else {
        Err(Error::NotBuilt { path, package })
    }
}

/// One of our binaries.
#[derive(Clone, Copy, Debug)]
enum Binary {
    Operator,
    Agent,
}

impl Binary {
    fn path(self) -> Result<PathBuf> {
        let (name, package) = match self {
            Self::Operator => ("gpu-sharing-operator", "operator"),
            Self::Agent => ("gpu-sharing-agent", "node-agent"),
        };
        built(name, package)
    }
}
