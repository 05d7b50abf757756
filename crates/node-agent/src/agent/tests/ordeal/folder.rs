//! Everything that outlives an agent, in one folder: the GPUs, the journal, the `GpuNode`, and who holds what.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crds::GpuNode;
use crds::gpu_node::{AgentOperation, AgentStatus};
use nvml_sim::SimulatedNode;
use tempfile::TempDir;

use crate::journal::{Journal, Record};

/// The files of a folder, by their paths in it.
pub type Snapshot = BTreeMap<PathBuf, Vec<u8>>;

/// The folder of a node.
pub struct Folder {
    path: PathBuf,
    /// Unset: it is another's.
    _temporary: Option<TempDir>,
}

impl Folder {
    /// A folder with these files. In memory, where there is such a place: thousands are written through.
    pub fn with(files: &Snapshot) -> Self {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() {
            tempfile::tempdir_in(memory)
        } else {
            tempfile::tempdir()
        };
        let temporary = folder.unwrap();
        let folder = Self {
            path: temporary.path().to_owned(),
            _temporary: Some(temporary),
        };
        fs::create_dir(folder.path().join("journal")).unwrap();
        for (path, bytes) in files {
            fs::write(folder.path().join(path), bytes).unwrap();
        }
        folder
    }

    /// The folder at this path.
    pub fn at(path: PathBuf) -> Self {
        Self {
            path,
            _temporary: None,
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn state(&self) -> PathBuf {
        self.path().join("gpus.json")
    }

    /// Where the driver library is, if it is not the simulated one as it is built.
    pub fn library(&self) -> PathBuf {
        self.path().join("libnvidia-ml.so.1")
    }

    pub fn node(&self) -> SimulatedNode {
        SimulatedNode::open(self.state()).unwrap()
    }

    /// What somebody who starts now finds.
    pub fn snapshot(&self) -> Snapshot {
        let mut files = Snapshot::new();
        for folder in ["", "journal"] {
            for entry in fs::read_dir(self.path().join(folder)).unwrap() {
                let entry = entry.unwrap();
                let name = entry.file_name();
                let is_lock =
                    Path::new(&name).extension().is_some_and(|it| it == "lock") || name == "lock";
                if entry.file_type().unwrap().is_file() && !is_lock {
                    let path = Path::new(folder).join(name);
                    files.insert(path, fs::read(entry.path()).unwrap());
                }
            }
        }
        files
    }

    /// Differs whenever a snapshot would: files are replaced by others, or grow.
    pub fn fingerprint(&self) -> Vec<Option<(u64, u64, i64, i64)>> {
        let files = [
            "gpus.json",
            "gpu-node.json",
            "journal",
            "journal/journal.json",
            "journal/journal.json.new",
        ];
        let print = |file: &&str| {
            let found = fs::metadata(self.path().join(file)).ok()?;
            Some((found.ino(), found.len(), found.mtime(), found.mtime_nsec()))
        };
        files.iter().map(print).collect()
    }

    pub fn gpu_node(&self) -> GpuNode {
        let bytes = fs::read(self.path().join("gpu-node.json")).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    pub fn write_gpu_node(&self, object: &GpuNode) {
        let json = serde_json::to_vec(object).unwrap();
        let path = self.path().join("gpu-node.json");
        fs::write(path.with_extension("new"), json).unwrap();
        fs::rename(path.with_extension("new"), path).unwrap();
    }

    pub fn said(&self) -> AgentStatus {
        self.gpu_node().status.unwrap().agent.unwrap()
    }

    pub fn operation(&self) -> AgentOperation {
        self.said().operation.unwrap()
    }

    pub fn record(&self) -> Record {
        Journal::open(&self.path().join("journal"))
            .unwrap()
            .record()
            .clone()
    }

    /// Devices that pods have, by the kubelet's account.
    pub fn held(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path().join("held")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    pub fn hold(&self, devices: &[String]) {
        fs::write(self.path().join("held"), devices.join("\n")).unwrap();
    }
}
