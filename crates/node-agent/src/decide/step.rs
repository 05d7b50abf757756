//! One change of one GPU: the smallest thing that is done between two looks.

use std::fmt;

use crds::gpu_node::{PlacedProfile, SharingTarget};
use serde::{Deserialize, Serialize};

/// One change of one GPU. GPUs are named by UUID.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all_fields = "camelCase")]
pub enum Step {
    /// Turn MIG mode on or off, or take back a change that is pending.
    SetMode { gpu: String, enabled: bool },
    /// Reset the GPU, so that a pending MIG mode takes effect.
    Reset { gpu: String },
    /// Destroy the compute instance of an instance: from here on no pod can use it.
    DestroyDevice {
        gpu: String,
        at: PlacedProfile,
        /// The MIG device that goes.
        device: String,
    },
    /// Destroy an instance that is no device for pods, with whatever compute instances are in it.
    DestroyInstance { gpu: String, at: PlacedProfile },
    /// Create a GPU instance: it takes its slices, and no pod can use it yet.
    CreateInstance { gpu: String, at: PlacedProfile },
    /// Create the compute instance that makes an instance a device for pods.
    CreateDevice { gpu: String, at: PlacedProfile },
    /// Stop the MPS daemon and give its GPUs back.
    StopMps,
    /// Start the MPS daemon, tell it these limits and read them back.
    StartMps {
        /// The GPUs that it serves, in the order of their indices.
        gpus: Vec<Served>,
    },
}

/// A GPU that MPS serves.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Served {
    /// Its UUID.
    pub gpu: String,
    /// NVML's index of it: what the daemon calls it.
    pub index: i32,
    /// What its clients get.
    pub sharing: SharingTarget,
}

impl Step {
    /// UUID of the GPU that it changes. None: it is about the MPS daemon, which has several.
    pub fn gpu(&self) -> Option<&str> {
        match self {
            Self::SetMode { gpu, .. }
            | Self::Reset { gpu }
            | Self::DestroyDevice { gpu, .. }
            | Self::DestroyInstance { gpu, .. }
            | Self::CreateInstance { gpu, .. }
            | Self::CreateDevice { gpu, .. } => Some(gpu),
            Self::StopMps | Self::StartMps { .. } => None,
        }
    }

    /// One word for metrics.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SetMode { .. } => "set_mode",
            Self::Reset { .. } => "reset",
            Self::DestroyDevice { .. } => "destroy_compute_instance",
            Self::DestroyInstance { .. } => "destroy_gpu_instance",
            Self::CreateInstance { .. } => "create_gpu_instance",
            Self::CreateDevice { .. } => "create_compute_instance",
            Self::StopMps => "stop_mps",
            Self::StartMps { .. } => "start_mps",
        }
    }
}

/// Verb and object: `create the 3g.20gb instance at slice 4 of GPU GPU-…`.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SetMode { gpu, enabled } => {
                let mode = if *enabled { "on" } else { "off" };
                write!(f, "turn MIG mode of GPU {gpu} {mode}")
            }
            Self::Reset { gpu } => write!(f, "reset GPU {gpu}"),
            Self::DestroyDevice { gpu, at, device } => {
                let PlacedProfile { start, profile } = at;
                write!(
                    f,
                    "destroy {device}, {profile} at slice {start} of GPU {gpu}"
                )
            }
            Self::DestroyInstance { gpu, at } => instance(f, "destroy", at, gpu),
            Self::CreateInstance { gpu, at } => instance(f, "create", at, gpu),
            Self::CreateDevice { gpu, at } => {
                f.write_str("create the compute instance of ")?;
                let PlacedProfile { start, profile } = at;
                write!(f, "{profile} at slice {start} of GPU {gpu}")
            }
            Self::StopMps => f.write_str("stop the MPS daemon"),
            Self::StartMps { gpus } => {
                let gpus: Vec<_> = gpus.iter().map(|it| it.index.to_string()).collect();
                write!(f, "start the MPS daemon for GPU {}", gpus.join(", "))
            }
        }
    }
}

fn instance(f: &mut fmt::Formatter<'_>, verb: &str, at: &PlacedProfile, gpu: &str) -> fmt::Result {
    let PlacedProfile { start, profile } = at;
    write!(
        f,
        "{verb} the {profile} instance at slice {start} of GPU {gpu}"
    )
}
