//! A simulated node in Rust: what the command line and the test bed use.

mod error;
mod faults;
mod map;
mod mig;
mod pace;
mod quirks;
mod view;

use std::path::{Path, PathBuf};

pub use error::Error;
pub use pace::Pace;
pub use view::{GpuView, InstanceView};

use crate::state::{MAX_GPUS, Process, State};
use crate::store::Store;
use crate::{Code, rules};
use products::Product;

/// A process that is to hold a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Process id, as NVML will report it.
    pub pid: u32,
    /// Program name.
    pub name: String,
    /// Device memory in MiB.
    pub memory_mib: u64,
}

/// A node with simulated GPUs, by its state file. Every call reads the file afresh, so several
/// processes, and the library in others, may use one node at once.
#[derive(Clone, Debug)]
pub struct SimulatedNode {
    store: Store,
    path: PathBuf,
}

impl SimulatedNode {
    /// Makes a node with these products, by key, and its boot id file beside the state file.
    ///
    /// The same seed gives the same UUIDs; without one it is taken from the path, so that nodes
    /// differ.
    ///
    /// # Errors
    /// [`crate::StoreError::Exists`], [`Error::UnknownProduct`], [`Error::TooManyGpus`].
    pub fn create(
        path: impl Into<PathBuf>,
        seed: Option<u64>,
        products: &[impl AsRef<str>],
    ) -> Result<Self, Error> {
        let find = |key: &str| -> Result<&'static Product, Error> {
            products::find(key).ok_or_else(|| Error::UnknownProduct(key.to_owned()))
        };
        let products = products
            .iter()
            .map(|key| find(key.as_ref()))
            .collect::<Result<Vec<_>, _>>()?;
        if products.len() > MAX_GPUS {
            return Err(Error::TooManyGpus(products.len()));
        }
        let node = Self::at(path.into());
        let seed = seed.unwrap_or_else(|| seed_of(&node.path));
        node.store.create(&State::new(seed, &products))?;
        Ok(node)
    }

    /// The node whose state is in this file.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let node = Self::at(path.into());
        node.store.read()?;
        node.store.repair_boot_id()?;
        Ok(node)
    }

    fn at(path: PathBuf) -> Self {
        Self {
            store: Store::new(&path),
            path,
        }
    }

    /// The state file: what `NVML_SIM_STATE` must name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file with the boot id of the simulated node: one line, as Linux writes it.
    pub fn boot_id_path(&self) -> PathBuf {
        self.store.boot_id_path()
    }

    /// Everything, as it is now.
    pub fn state(&self) -> Result<State, Error> {
        Ok(self.store.read()?)
    }

    /// The GPUs by index.
    pub fn gpus(&self) -> Result<Vec<GpuView>, Error> {
        Ok(self
            .state()?
            .gpus
            .iter()
            .enumerate()
            .map(|(i, gpu)| GpuView::of(i, gpu))
            .collect())
    }

    /// Puts a process on a GPU as a whole.
    ///
    /// # Errors
    /// [`Error::Refused`] when its memory does not fit, or the GPU is lost.
    pub fn attach(&self, gpu: usize, client: Client) -> Result<(), Error> {
        let what = format!("attach process {} to GPU {gpu}", client.pid);
        self.change(gpu, what, |state| {
            rules::attach(state, gpu, client.on(None))
        })
    }

    /// Puts a process on a MIG device.
    ///
    /// # Errors
    /// [`Error::NoMigDevice`]; [`Error::Refused`] as [`Self::attach`].
    pub fn attach_mig(&self, mig_uuid: &str, client: Client) -> Result<(), Error> {
        let state = self.state()?;
        let (gpu, ..) = state
            .mig_device(mig_uuid)
            .ok_or_else(|| Error::NoMigDevice(mig_uuid.to_owned()))?;
        let what = format!("attach process {} to MIG device {mig_uuid}", client.pid);
        self.change(gpu, what, |state| {
            rules::attach(state, gpu, client.on(Some(mig_uuid)))
        })
    }

    /// Takes a process off every device that it holds.
    ///
    /// # Errors
    /// [`Error::NoProcess`] if it holds none.
    pub fn detach(&self, pid: u32) -> Result<(), Error> {
        match self.store.update(|state| rules::detach(state, pid))? {
            0 => Err(Error::NoProcess(pid)),
            _ => Ok(()),
        }
    }

    /// Resets an idle GPU: instances go, a pending MIG mode takes effect.
    ///
    /// # Errors
    /// [`Error::Refused`] while a process holds it.
    pub fn reset(&self, gpu: usize) -> Result<(), Error> {
        self.change(gpu, format!("reset GPU {gpu}"), |state| {
            rules::reset(state, gpu)
        })
    }

    /// Reboots the node and returns the new boot id, which is in [`Self::boot_id_path`] too.
    pub fn reboot(&self) -> Result<String, Error> {
        Ok(self.store.update(|state| {
            rules::reboot(state);
            state.boot_id.clone()
        })?)
    }

    fn change<T>(
        &self,
        index: usize,
        what: String,
        rule: impl FnOnce(&mut State) -> Result<T, Code>,
    ) -> Result<T, Error> {
        self.store.update(|state| {
            let count = state.gpus.len();
            if index >= count {
                return Err(Error::NoGpu { index, count });
            }
            rule(state).map_err(|code| Error::Refused { what, code })
        })?
    }
}

/// FNV-1a of the absolute path.
fn seed_of(path: &Path) -> u64 {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    absolute
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
        })
}

impl Client {
    fn on(self, mig_uuid: Option<&str>) -> Process {
        let Self {
            pid,
            name,
            memory_mib,
        } = self;
        Process {
            pid,
            name,
            memory_mib,
            mig_uuid: mig_uuid.map(str::to_owned),
        }
    }
}
