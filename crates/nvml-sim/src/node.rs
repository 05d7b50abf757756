//! A simulated node in Rust: what the command line and the test bed use.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::product::{self, Product, compute_profiles};
use crate::rules::{self, Activation};
use crate::state::{ComputeMode, Fault, Gpu, GpuInstance, MAX_GPUS, MigMode, Process, State};
use crate::store::{Store, StoreError};
use crate::{Code, ffi};

/// What was asked of a simulated node and cannot be.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The state file cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No such product.
    #[error("product {0:?} is not simulated: choose among {known}", known = known_products())]
    UnknownProduct(String),
    /// More GPUs than a node can have.
    #[error("{0} GPUs are too many: a node has at most {MAX_GPUS}")]
    TooManyGpus(usize),
    /// No such function.
    #[error("the library has no function {0:?} that can be made to fail: check the spelling")]
    UnknownFunction(String),
    /// No such profile.
    #[error("GPU {gpu} has no profile {profile:?}: choose among {known}")]
    UnknownProfile {
        /// Index of the GPU.
        gpu: usize,
        /// What was asked for.
        profile: String,
        /// What there is.
        known: String,
    },
    /// No such GPU.
    #[error("there is no GPU {index}: the node has {count}, counted from 0")]
    NoGpu {
        /// Index asked for.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// No such MIG device.
    #[error("there is no MIG device {0}: list them with `show`")]
    NoMigDevice(String),
    /// No such process.
    #[error("process {0} holds no GPU")]
    NoProcess(u32),
    /// The driver's rules forbid it.
    #[error("cannot {what}: {code}")]
    Refused {
        /// Verb and object.
        what: String,
        /// As NVML would answer.
        code: Code,
    },
    /// A change of MIG mode was accepted and has not taken effect.
    #[error("MIG mode of GPU {gpu} is pending until it is reset: {code}")]
    Pending {
        /// Index of the GPU.
        gpu: usize,
        /// Why it is not in effect.
        code: Code,
    },
}

fn known_products() -> String {
    product::ALL
        .iter()
        .map(|product| product.key)
        .collect::<Vec<_>>()
        .join(", ")
}

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

/// One GPU as a person sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GpuView {
    /// NVML index.
    pub index: usize,
    /// `GPU-...`
    pub uuid: String,
    /// Product key, such as `A100-SXM4-40GB`.
    pub product: String,
    /// Memory slices that placements count; 0 without MIG.
    pub memory_slices: u32,
    /// Fell off the bus.
    pub lost: bool,
    /// Unset without MIG.
    pub mig_mode: Option<MigMode>,
    /// Who may run.
    pub compute_mode: ComputeMode,
    /// GPU instances by start.
    pub instances: Vec<InstanceView>,
    /// Processes on the GPU and on its MIG devices.
    pub processes: Vec<Process>,
}

/// One GPU instance as a person sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceView {
    /// Id of the GPU instance.
    pub id: u32,
    /// Profile name, such as `3g.20gb`.
    pub profile: String,
    /// First memory slice.
    pub start: u32,
    /// Memory slices.
    pub size: u32,
    /// UUIDs of its MIG devices; none while it has no compute instance.
    pub mig_uuids: Vec<String>,
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
    /// [`StoreError::Exists`], [`Error::UnknownProduct`], [`Error::TooManyGpus`].
    pub fn create(
        path: impl Into<PathBuf>,
        seed: Option<u64>,
        products: &[impl AsRef<str>],
    ) -> Result<Self, Error> {
        let find = |key: &str| -> Result<&'static Product, Error> {
            product::find(key).ok_or_else(|| Error::UnknownProduct(key.to_owned()))
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

    /// Turns MIG on or off.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::Pending`] when it was accepted but is not in effect.
    pub fn set_mig_mode(&self, gpu: usize, enable: bool) -> Result<(), Error> {
        let what = format!(
            "turn MIG mode of GPU {gpu} {}",
            if enable { "on" } else { "off" }
        );
        match self.change(gpu, what, |state| rules::set_mig_mode(state, gpu, enable))? {
            Activation::Done => Ok(()),
            Activation::Pending(code) => Err(Error::Pending { gpu, code }),
        }
    }

    /// Creates a GPU instance with one compute instance that fills it, at `start` or where the
    /// driver would put it. Returns the UUID of the MIG device.
    ///
    /// # Errors
    /// [`Error::UnknownProfile`]; [`Error::Refused`] when it does not fit; then nothing was made.
    pub fn create_instance(
        &self,
        gpu: usize,
        profile: &str,
        start: Option<u32>,
    ) -> Result<String, Error> {
        let profile_id = self.profile_id(gpu, profile)?;
        let at = start
            .map(|start| format!(" at {start}"))
            .unwrap_or_default();
        let what = format!("create a {profile} instance on GPU {gpu}{at}");
        self.change(gpu, what, |state| {
            create_filled(state, gpu, profile_id, start)
        })
    }

    /// Destroys a MIG device and its GPU instance with it, if it was the last one in there.
    ///
    /// # Errors
    /// [`Error::NoMigDevice`]; [`Error::Refused`] while a process runs on it.
    pub fn destroy_instance(&self, mig_uuid: &str) -> Result<(), Error> {
        let missing = || Error::NoMigDevice(mig_uuid.to_owned());
        let state = self.state()?;
        let (gpu, gi, ci) = state.mig_device(mig_uuid).ok_or_else(missing)?;
        let what = format!("destroy MIG device {mig_uuid}");
        self.change(gpu, what, |state| {
            rules::destroy_compute_instance(state, gpu, ci.serial)?;
            match rules::destroy_gpu_instance(state, gpu, gi.serial) {
                // Other compute instances live in it.
                Err(Code::InUse) => Ok(()),
                done => done,
            }
        })
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

    /// Makes calls of a function fail.
    ///
    /// # Errors
    /// [`Error::UnknownFunction`].
    pub fn inject(&self, fault: Fault) -> Result<(), Error> {
        check_function(&fault.function)?;
        Ok(self.store.update(|state| state.faults.push(fault))?)
    }

    /// Makes each call of a function take this long; 0 = no longer.
    ///
    /// # Errors
    /// [`Error::UnknownFunction`].
    pub fn delay(&self, function: &str, millis: u64) -> Result<(), Error> {
        check_function(function)?;
        Ok(self.store.update(|state| match millis {
            0 => drop(state.latency_ms.remove(function)),
            _ => drop(state.latency_ms.insert(function.to_owned(), millis)),
        })?)
    }

    /// Lets a GPU fall off the bus.
    pub fn lose(&self, gpu: usize) -> Result<(), Error> {
        self.mark(gpu, |gpu| gpu.lost = true)
    }

    /// Keeps every change of a GPU's MIG mode pending, until healed or rebooted.
    pub fn stick_mode(&self, gpu: usize) -> Result<(), Error> {
        self.mark(gpu, |gpu| gpu.mode_stuck = true)
    }

    /// Takes back every fault, delay, loss and stuck mode.
    pub fn heal(&self) -> Result<(), Error> {
        Ok(self.store.update(|state| {
            state.faults.clear();
            state.latency_ms.clear();
            for gpu in &mut state.gpus {
                (gpu.lost, gpu.mode_stuck) = (false, false);
            }
        })?)
    }

    fn mark(&self, index: usize, mark: impl FnOnce(&mut Gpu)) -> Result<(), Error> {
        self.store.update(|state| {
            let count = state.gpus.len();
            state
                .gpus
                .get_mut(index)
                .map(mark)
                .ok_or(Error::NoGpu { index, count })
        })?
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
            let before = state.clone();
            rule(state).map_err(|code| {
                // A rule may be several steps; all or nothing.
                *state = before;
                Error::Refused { what, code }
            })
        })?
    }

    fn profile_id(&self, index: usize, profile: &str) -> Result<u32, Error> {
        let state = self.state()?;
        let count = state.gpus.len();
        let gpu = state.gpus.get(index).ok_or(Error::NoGpu { index, count })?;
        let mig = gpu.product().and_then(|product| product.mig.as_ref());
        mig.and_then(|mig| mig.by_name(profile))
            .map(|found| found.id)
            .ok_or_else(|| {
                let names = mig.iter().flat_map(|mig| mig.profiles).map(|p| p.name);
                let known = names.collect::<Vec<_>>().join(", ");
                Error::UnknownProfile {
                    gpu: index,
                    profile: profile.to_owned(),
                    known,
                }
            })
    }
}

fn create_filled(
    state: &mut State,
    gpu: usize,
    profile_id: u32,
    start: Option<u32>,
) -> Result<String, Code> {
    let gi = rules::create_gpu_instance(state, gpu, profile_id, start)?;
    let profile = state.gpus.get(gpu).and_then(|gpu| gpu.profile(profile_id));
    let whole = profile.and_then(|profile| compute_profiles(profile).last());
    let whole = whole.ok_or(Code::Unknown)?.id;
    let ci = rules::create_compute_instance(state, gpu, gi, whole, None)?;
    let (_, ci) = rules::compute_instance(rules::gpu(state, gpu)?, ci)?;
    Ok(ci.uuid.clone())
}

fn check_function(function: &str) -> Result<(), Error> {
    if ffi::symbols().any(|symbol| symbol == function) {
        return Ok(());
    }
    Err(Error::UnknownFunction(function.to_owned()))
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

impl GpuView {
    fn of(index: usize, gpu: &Gpu) -> Self {
        let mut instances: Vec<_> = gpu
            .instances
            .iter()
            .map(|gi| InstanceView::of(gpu, gi))
            .collect();
        instances.sort_by_key(|instance| instance.start);
        let mig = gpu.product().and_then(|product| product.mig.as_ref());
        Self {
            index,
            uuid: gpu.uuid.clone(),
            product: gpu.product.clone(),
            memory_slices: mig.map_or(0, |mig| mig.memory_slices),
            lost: gpu.lost,
            mig_mode: gpu.mig_mode,
            compute_mode: gpu.compute_mode,
            instances,
            processes: gpu.processes.clone(),
        }
    }
}

impl InstanceView {
    fn of(gpu: &Gpu, gi: &GpuInstance) -> Self {
        let profile = gpu.profile(gi.profile_id);
        Self {
            id: gi.id,
            profile: profile.map_or("?", |profile| profile.name).to_owned(),
            start: gi.start,
            size: profile.map_or(0, |profile| profile.memory_slices),
            mig_uuids: gi.compute.iter().map(|ci| ci.uuid.clone()).collect(),
        }
    }
}
