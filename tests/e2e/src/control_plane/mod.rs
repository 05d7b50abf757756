//! etcd, kube-apiserver, kube-controller-manager, kube-scheduler and KWOK: real ones, of this bed alone.
//!
//! ```text
//!   etcd ◄── kube-apiserver ◄──┬── kube-controller-manager
//!                              ├── kube-scheduler
//!                              └── KWOK: plays the life of nodes and pods
//! ```
//! All listen on 127.0.0.1, on ports that were free a moment ago.

mod binaries;
mod flags;
mod identity;
mod ports;
mod ready;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

pub use binaries::folder as control_plane_binaries;
pub use identity::{Identity, client_of, kubeconfig};

use crate::child::Child;
use crate::watchdog::Watchdog;
use crate::{Error, Result};
use ports::Ports;

/// The programs, in the order of their start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Component {
    /// The store.
    Etcd,
    /// The API server.
    ApiServer,
    /// Workload controllers, disruption budgets, taints of nodes, garbage collection.
    ControllerManager,
    /// Binds pods to nodes.
    Scheduler,
    /// Plays kubelets.
    Kwok,
}

impl Component {
    /// The name of its program.
    pub fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::ApiServer => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Scheduler => "kube-scheduler",
            Self::Kwok => "kwok",
        }
    }
}

/// A running control plane.
#[derive(Debug)]
pub struct ControlPlane {
    folder: PathBuf,
    ports: Ports,
    running: BTreeMap<Component, Child>,
}

impl ControlPlane {
    /// Starts all of it with its data, logs and keys in `folder`, and waits until it works.
    pub async fn start(folder: &Path, watchdog: &mut Watchdog) -> Result<Self> {
        let binaries = binaries::folder()?;
        let mut plane = Self {
            folder: folder.to_path_buf(),
            ports: Ports::take()?,
            running: BTreeMap::new(),
        };
        plane.write_files()?;
        plane.spawn(&binaries, Component::Etcd, watchdog)?;
        plane.ready(&[Component::Etcd]).await?;
        plane.spawn(&binaries, Component::ApiServer, watchdog)?;
        plane.ready(&[Component::ApiServer]).await?;
        let rest = [
            Component::ControllerManager,
            Component::Scheduler,
            Component::Kwok,
        ];
        for component in rest {
            plane.spawn(&binaries, component, watchdog)?;
        }
        plane.ready(&rest).await?;
        Ok(plane)
    }

    fn write_files(&self) -> Result<()> {
        for folder in ["pki", "logs", "kube"] {
            let path = self.folder.join(folder);
            fs::create_dir_all(&path).map_err(Error::file("create", &path))?;
        }
        identity::write(&self.folder, &self.server())?;
        self.write(
            "audit.yaml",
            include_str!("../../control-plane/audit-policy.yaml"),
        )?;
        self.write(
            "stages.yaml",
            include_str!("../../control-plane/kwok-stages.yaml"),
        )
    }

    fn write(&self, name: &str, content: &str) -> Result<()> {
        let path = self.folder.join(name);
        fs::write(&path, content).map_err(Error::file("write", &path))
    }

    fn spawn(
        &mut self,
        binaries: &Path,
        component: Component,
        watchdog: &mut Watchdog,
    ) -> Result<()> {
        let mut command = Command::new(binaries.join(component.name()));
        command.args(flags::of(component, &self.folder, &self.ports));
        let log = self.folder.join("logs").join(component.name());
        let leader = self.running.get(&Component::Etcd).map(Child::pid);
        let child = Child::spawn(
            component.name(),
            command,
            &log.with_extension("log"),
            leader,
        )?;
        if leader.is_none() {
            watchdog.guard(child.pid());
        }
        self.running.insert(component, child);
        Ok(())
    }

    /// Where the API server is.
    pub fn server(&self) -> String {
        format!("https://127.0.0.1:{}", self.ports.api_server)
    }

    /// The process group of everything that belongs to the bed: etcd leads it.
    pub fn group(&self) -> Option<rustix::process::Pid> {
        self.running.get(&Component::Etcd).map(Child::pid)
    }

    /// Freezes a program: it is there and does not answer.
    pub fn pause(&mut self, component: Component) -> Result<()> {
        self.signal(component, Signal::STOP)
    }

    /// Lets a frozen program go on.
    pub fn resume(&mut self, component: Component) -> Result<()> {
        self.signal(component, Signal::CONT)
    }

    fn signal(&mut self, component: Component, signal: Signal) -> Result<()> {
        self.running
            .get_mut(&component)
            .map_or(Ok(()), |child| child.signal(signal))
    }

    /// Takes the API server out, to be ended.
    pub fn take_api_server(&mut self) -> Option<Child> {
        self.running.remove(&Component::ApiServer)
    }

    /// Starts the API server again, on its old port and with its old keys. Returns where it says that it is ready.
    pub fn start_api_server(&mut self, watchdog: &mut Watchdog) -> Result<String> {
        self.spawn(&binaries::folder()?, Component::ApiServer, watchdog)?;
        Ok(self.health_url(Component::ApiServer))
    }

    /// Gives away the programs, so that they can be stopped.
    pub fn take_running(&mut self) -> BTreeMap<Component, Child> {
        std::mem::take(&mut self.running)
    }

    /// Ends programs in the reverse order of their start.
    ///
    /// # Errors
    /// The first that did not end by itself; it and the rest are then killed.
    pub async fn stop(mut running: BTreeMap<Component, Child>) -> Result<()> {
        while let Some((_, mut child)) = running.pop_last() {
            child.terminate(Duration::from_secs(15)).await?;
        }
        Ok(())
    }
}
