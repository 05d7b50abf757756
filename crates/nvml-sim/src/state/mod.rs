//! The simulated node as plain data: what the state file holds.

mod check;
mod fault;
mod identity;
mod quirks;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use fault::{Fault, When};
pub use quirks::Quirks;

use products::{Product, Profile};

/// The layout of the state file; a file with another number is refused.
pub const VERSION: u32 = 1;
/// Most GPUs of one node.
pub const MAX_GPUS: usize = 16;
/// The driver version of a new node.
pub const DRIVER_VERSION: &str = "580.95.05";

/// A node with GPUs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct State {
    /// Layout of this file, [`VERSION`].
    pub version: u32,
    /// Changes at each reboot.
    pub boot_id: String,
    /// What `nvmlSystemGetDriverVersion` answers.
    pub driver_version: String,
    /// Creating, destroying and mode changes need root, as on a real node.
    #[serde(default)]
    pub require_root: bool,
    /// Where the node's UUIDs come from, with `issued`.
    pub seed: u64,
    /// Identities given out so far; no UUID is ever given twice.
    pub issued: u64,
    /// By index.
    pub gpus: Vec<Gpu>,
    /// Calls that are to fail.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
    /// Milliseconds that a function takes, by symbol; unset = none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub latency_ms: BTreeMap<String, u64>,
    /// How the driver deviates from its header.
    #[serde(default, skip_serializing_if = "Quirks::is_none")]
    pub quirks: Quirks,
}

/// One GPU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Gpu {
    /// `GPU-...`; stays for the life of the node.
    pub uuid: String,
    /// [`Product::key`].
    pub product: String,
    /// `domain:bus:device.function`, eight hexadecimal digits of domain.
    pub bus_id: String,
    /// Fell off the bus: every call answers `GPU_IS_LOST`.
    #[serde(default)]
    pub lost: bool,
    /// Until when a change of MIG mode stays pending, unless it is healed; unset = it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode_stuck: Option<Until>,
    /// Who may run on the GPU.
    #[serde(default)]
    pub compute_mode: ComputeMode,
    /// MIG mode; unset = the product has no MIG.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mig_mode: Option<MigMode>,
    /// GPU instances, in the order of their making.
    #[serde(default)]
    pub instances: Vec<GpuInstance>,
    /// Processes that hold the GPU or one of its MIG devices.
    #[serde(default)]
    pub processes: Vec<Process>,
}

/// MIG mode now and after the next reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MigMode {
    /// In effect.
    pub current: bool,
    /// In effect after a reset.
    pub pending: bool,
}

/// What ends it that a MIG mode stays pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Until {
    /// A reset of the GPU.
    Reset,
    /// A reboot of the node: a reset changes nothing.
    Reboot,
}

/// Who may run on a GPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ComputeMode {
    /// Any number of processes.
    #[default]
    Default,
    /// No process.
    Prohibited,
    /// One process.
    ExclusiveProcess,
}

/// A GPU instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GpuInstance {
    /// Unique on its GPU now; used again after the instance is gone.
    pub id: u32,
    /// Unique for ever: tells two instances of the same id apart.
    pub serial: u64,
    /// [`Profile::id`].
    pub profile_id: u32,
    /// First memory slice.
    pub start: u32,
    /// Compute instances, in the order of their making.
    #[serde(default)]
    pub compute: Vec<ComputeInstance>,
}

/// A compute instance, which is also a MIG device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ComputeInstance {
    /// Unique in its GPU instance now.
    pub id: u32,
    /// Unique for ever.
    pub serial: u64,
    /// Index of the MIG device on its GPU; stays while the instance lives, so others leave holes.
    pub mig_index: u32,
    /// `MIG-...`, new at each creation.
    pub uuid: String,
    /// [`products::ComputeProfile::id`].
    pub profile_id: u32,
    /// First compute slice inside the GPU instance.
    pub start: u32,
}

/// A process that holds a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Process {
    /// Process id, as NVML reports it.
    pub pid: u32,
    /// What `nvmlSystemGetProcessName` answers.
    pub name: String,
    /// Device memory in MiB.
    pub memory_mib: u64,
    /// The MIG device it runs on; unset = the whole GPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mig_uuid: Option<String>,
}

impl State {
    /// A node with these products, MIG off, nothing running.
    pub fn new(seed: u64, products: &[&'static Product]) -> Self {
        let mut state = Self {
            version: VERSION,
            boot_id: String::new(),
            driver_version: DRIVER_VERSION.to_owned(),
            require_root: false,
            seed,
            issued: 0,
            gpus: Vec::new(),
            faults: Vec::new(),
            latency_ms: BTreeMap::new(),
            quirks: Quirks::default(),
        };
        state.boot_id = state.new_uuid();
        for (index, product) in products.iter().enumerate() {
            let uuid = format!("GPU-{}", state.new_uuid());
            state.gpus.push(Gpu::new(uuid, index, product));
        }
        state
    }

    /// The MIG device with this UUID: its GPU's index, its GPU instance and itself.
    pub fn mig_device(&self, uuid: &str) -> Option<(usize, &GpuInstance, &ComputeInstance)> {
        self.gpus.iter().enumerate().find_map(|(index, gpu)| {
            let (gi, ci) = gpu.compute_instances().find(|(_, ci)| ci.uuid == uuid)?;
            Some((index, gi, ci))
        })
    }
}

impl Gpu {
    fn new(uuid: String, index: usize, product: &Product) -> Self {
        let off = MigMode {
            current: false,
            pending: false,
        };
        Self {
            uuid,
            product: product.key.to_owned(),
            bus_id: format!("00000000:{:02X}:00.0", 7 + 8 * index),
            lost: false,
            mode_stuck: None,
            compute_mode: ComputeMode::Default,
            mig_mode: product.mig.as_ref().map(|_| off),
            instances: Vec::new(),
            processes: Vec::new(),
        }
    }

    /// The model. A state that was checked always names a known one.
    pub fn product(&self) -> Option<&'static Product> {
        products::find(&self.product)
    }

    /// The profile with this id on this GPU.
    pub fn profile(&self, id: u32) -> Option<&'static Profile> {
        self.product()?.mig.as_ref()?.by_id(id)
    }

    /// Every compute instance with its GPU instance.
    pub fn compute_instances(&self) -> impl Iterator<Item = (&GpuInstance, &ComputeInstance)> {
        self.instances
            .iter()
            .flat_map(|gi| gi.compute.iter().map(move |ci| (gi, ci)))
    }

    /// MIG is in effect.
    pub fn mig_enabled(&self) -> bool {
        self.mig_mode.is_some_and(|mode| mode.current)
    }

    /// Processes on this MIG device, or on the whole GPU for `None`.
    pub fn processes_on(&self, mig_uuid: Option<&str>) -> impl Iterator<Item = &Process> {
        self.processes
            .iter()
            .filter(move |process| process.mig_uuid.as_deref() == mig_uuid)
    }
}
