//! The limits of MPS clients, as NVIDIA's device plugin computes them when nobody says otherwise.

use std::collections::BTreeMap;
use std::fmt;

use crds::gpu_node::{GpuStatus, MigMode, MpsTarget};

/// How a GPU is shared through MPS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How many clients may share one GPU; at least 1.
    pub replicas: i32,
    /// Share of a GPU's threads for one client, in percent. Unset: 100 divided by `replicas`.
    pub active_thread_percentage: Option<i32>,
    /// GPU memory for one client in MiB. Unset: the GPU's memory divided by `replicas`.
    pub memory_limit_mib: Option<i64>,
    /// Whether `replicas` times `memory_limit_mib` may exceed the GPU's memory.
    pub allow_memory_oversubscription: bool,
}

/// What one daemon is told. All clients of it have the same percentage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Limits {
    /// `set_default_active_thread_percentage`, 1 to 100.
    pub active_thread_percentage: i32,
    /// `set_default_device_pinned_mem_limit` in MiB, by NVML index: limits by UUID were seen not to apply. A GPU that
    /// does not report its memory has none.
    pub memory_mib: BTreeMap<i32, i64>,
}

/// Why a GPU cannot be shared through MPS like this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The hardware serves fewer clients.
    TooManyReplicas {
        /// The GPU's index.
        index: i32,
        /// As many as were asked for.
        replicas: i32,
        /// As many as it serves.
        most: i32,
    },
    /// The clients together may use more memory than there is.
    TooMuchMemory {
        /// The GPU's index.
        index: i32,
        /// All limits together, in MiB.
        asked: i64,
        /// The GPU's memory in MiB.
        memory: i64,
    },
    /// A limit of no memory at all.
    NoMemory {
        /// The GPU's index.
        index: i32,
    },
    /// The GPU is cut into slices, or will be after a reset: NVIDIA's stack has no MPS on it.
    Mig {
        /// The GPU's index.
        index: i32,
    },
}

impl Limits {
    /// Those of a daemon whose GPUs, by index, give this to each client. Of several percentages the smallest counts: there
    /// is one for all.
    pub fn of(clients: impl IntoIterator<Item = (i32, MpsTarget)>) -> Self {
        let mut limits = Self {
            active_thread_percentage: 100,
            memory_mib: BTreeMap::new(),
        };
        for (index, client) in clients {
            let percentage = client.active_thread_percentage;
            limits.active_thread_percentage = limits.active_thread_percentage.min(percentage);
            limits
                .memory_mib
                .extend(client.memory_limit_mib.map(|mib| (index, mib)));
        }
        limits
    }
}

/// The limits for these GPUs as they are, or every reason against them.
pub fn limits(gpus: &[GpuStatus], settings: &Settings) -> Result<Limits, Vec<Refusal>> {
    let (mut clients, mut refusals) = (Vec::new(), Vec::new());
    for gpu in gpus {
        refusals.extend(sliced(gpu));
        match client(gpu, settings) {
            Ok(client) => clients.push((gpu.index, client)),
            Err(refused) => refusals.extend(refused),
        }
    }
    if refusals.is_empty() {
        Ok(Limits::of(clients))
    } else {
        Err(refusals)
    }
}

/// What one client gets of a GPU that is whole, or every reason against it.
pub fn client(gpu: &GpuStatus, settings: &Settings) -> Result<MpsTarget, Vec<Refusal>> {
    let refusals = refused(gpu, settings);
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let share = 100 / settings.replicas.clamp(1, 100);
    Ok(MpsTarget {
        active_thread_percentage: settings.active_thread_percentage.unwrap_or(share),
        memory_limit_mib: (gpu.memory_mib > 0).then(|| limit(gpu, settings)),
    })
}

fn sliced(gpu: &GpuStatus) -> Option<Refusal> {
    let is_sliced = [gpu.mig.current, gpu.mig.pending].contains(&MigMode::Enabled);
    is_sliced.then_some(Refusal::Mig { index: gpu.index })
}

/// MiB for one client. The share of whole MiB is the same as the whole MiB of a share of bytes.
fn limit(gpu: &GpuStatus, settings: &Settings) -> i64 {
    let share = gpu.memory_mib / i64::from(settings.replicas.max(1));
    settings.memory_limit_mib.unwrap_or(share)
}

fn refused(gpu: &GpuStatus, settings: &Settings) -> Vec<Refusal> {
    let (index, replicas) = (gpu.index, settings.replicas);
    let mut refusals = Vec::new();
    let most = most_clients(gpu.compute_capability.as_deref());
    if replicas > most {
        refusals.push(Refusal::TooManyReplicas {
            index,
            replicas,
            most,
        });
    }
    let (limit, memory) = (limit(gpu, settings), gpu.memory_mib);
    let asked = limit.saturating_mul(i64::from(replicas));
    if memory > 0 && limit < 1 {
        refusals.push(Refusal::NoMemory { index });
    }
    if memory > 0 && asked > memory && !settings.allow_memory_oversubscription {
        refusals.push(Refusal::TooMuchMemory {
            index,
            asked,
            memory,
        });
    }
    refusals
}

/// Clients of one GPU: NVIDIA's plugin draws the line at compute capability 7.5, so V100 (7.0) counts as old. A GPU that
/// does not report it is taken for old.
fn most_clients(capability: Option<&str>) -> i32 {
    let (old, new) = (16, 48);
    let read = capability.and_then(|text| text.split_once('.'));
    let numbers = read.and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    match numbers {
        Some(version) if version >= (7_u32, 5_u32) => new,
        Some(_) | None => old,
    }
}

impl Refusal {
    /// The field of `mps` in a policy that says too much.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::TooManyReplicas { .. } | Self::Mig { .. } => "replicas",
            Self::TooMuchMemory { .. } | Self::NoMemory { .. } => "memoryLimit",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyReplicas {
                index,
                replicas,
                most,
            } => write!(
                f,
                "GPU {index} serves at most {most} MPS clients, and {replicas} are asked for; lower mps.replicas"
            ),
            Self::TooMuchMemory {
                index,
                asked,
                memory,
            } => write!(
                f,
                "the MPS clients of GPU {index} may use {asked} MiB together, and it has {memory} MiB; lower \
                 mps.memoryLimit or mps.replicas, or set mps.allowMemoryOversubscription"
            ),
            Self::NoMemory { index } => write!(
                f,
                "an MPS client of GPU {index} would get less than 1 MiB of memory; raise mps.memoryLimit"
            ),
            Self::Mig { index } => write!(
                f,
                "GPU {index} is in MIG mode, where NVIDIA's stack has no MPS; turn MIG mode off first"
            ),
        }
    }
}
