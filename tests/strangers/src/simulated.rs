//! A node with simulated GPUs as a machine for programs.

use std::path::{Path, PathBuf};

use nvml_sim::SimulatedNode;
use tempfile::TempDir;

use crate::{Error, Machine, Result};

/// A node of its own for one test; its folder goes with it.
#[derive(Debug)]
pub struct Simulated {
    /// Changes the GPUs by hand.
    pub node: SimulatedNode,
    /// Runs programs on them.
    pub machine: Machine,
    folder: TempDir,
}

impl Simulated {
    /// A node with these products, and nvidia-smi from this path.
    ///
    /// # Errors
    /// A product is unknown, or our agent or the driver library is not built.
    pub fn new(products: &[&str], nvidia_smi: &Path) -> Result<Self> {
        let folder = tempfile::tempdir().map_err(Error::Folder)?;
        let state = folder.path().join("gpus.json");
        let driver = folder.path().join("driver");
        nvml_sim::install(&driver)?;
        let node = SimulatedNode::create(&state, Some(1), products)?;
        let environment = vec![
            ("LD_LIBRARY_PATH", driver.into_os_string()),
            ("NVML_SIM_STATE", state.into_os_string()),
            ("NVML_SIM_LOG", folder.path().join("log").into_os_string()),
        ];
        let machine = Machine {
            agent: built("gpu-sharing-agent", "node-agent")?,
            nvidia_smi: nvidia_smi.into(),
            environment,
        };
        Ok(Self {
            node,
            machine,
            folder,
        })
    }

    /// The lines of the driver library's log: the functions that were called, and their codes.
    pub fn log(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }
}

/// One of our programs, where cargo puts it: beside this program, or above it if this is a test.
///
/// # Errors
/// [`Error::NotBuilt`].
pub fn built(name: &str, package: &'static str) -> Result<PathBuf> {
    let this = std::env::current_exe().map_err(|source| Error::Start {
        program: name.into(),
        source,
    })?;
    let beside = this.parent().unwrap_or(Path::new("/"));
    let above = beside.parent().filter(|_| beside.ends_with("deps"));
    let path = above.unwrap_or(beside).join(name);
    if path.is_file() {
        Ok(path)
    } else {
        Err(Error::NotBuilt { path, package })
    }
}
