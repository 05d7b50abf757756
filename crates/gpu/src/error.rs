//! What the driver refused, or could not do.

use std::path::PathBuf;

use crds::gpu_node::ComputeMode;

use crate::Code;

/// Why a call to the driver failed. `gpu` is the UUID.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The library is not there, or is not a library.
    #[error("cannot load NVIDIA's driver library {}: {reason}; install the driver on this node, or name the library's path", path.display())]
    Library {
        /// What was to be loaded.
        path: PathBuf,
        /// The loader's words.
        reason: String,
    },
    /// The library does not start.
    #[error("cannot start NVIDIA's driver library {}: nvmlInit_v2 answered {code}; {}", path.display(), code.next_step())]
    Init {
        /// The library.
        path: PathBuf,
        /// The answer of `nvmlInit_v2`.
        code: Code,
    },
    /// A call failed for a reason that has no variant of its own.
    #[error("cannot call {call}{}: {code}; {}", on(gpu.as_deref()), code.next_step())]
    Call {
        /// The function of NVML.
        call: &'static str,
        /// On which GPU, if on one.
        gpu: Option<String>,
        /// Its answer.
        code: Code,
    },
    /// Something uses it.
    #[error(
        "cannot {doing} on GPU {gpu}: it is in use; end the processes on it (`nvidia-smi` lists them), or wait"
    )]
    Busy {
        /// Verb and object, such as `destroy the 3g.20gb instance at slice 4`.
        doing: String,
        /// On which GPU.
        gpu: String,
    },
    /// What would have to be free is taken.
    #[error(
        "cannot {doing} on GPU {gpu}: there is no room; something stands on the slices that it needs"
    )]
    NoRoom {
        /// Verb and object.
        doing: String,
        /// On which GPU.
        gpu: String,
    },
    /// MIG mode was accepted, and takes effect at the next reset.
    #[error("MIG mode of GPU {gpu} will be {} only after a reset: {why}; end what uses the GPU and reset it with `nvidia-smi --gpu-reset`, or reboot the node", if *.enabled { "on" } else { "off" })]
    ResetNeeded {
        /// Which GPU.
        gpu: String,
        /// The mode that is pending.
        enabled: bool,
        /// The activation status, a clause.
        why: String,
    },
    /// A compute mode was accepted, and is not in effect.
    #[error(
        "compute mode {wanted:?} of GPU {gpu} was accepted, and {found:?} is read back; see whether another program sets it, such as NVIDIA's MPS daemon"
    )]
    NotSet {
        /// Which GPU.
        gpu: String,
        /// What was set.
        wanted: ComputeMode,
        /// What is read back. Unset: a mode that this program does not know, or none.
        found: Option<ComputeMode>,
    },
    /// A reset was refused, or failed.
    #[error("cannot reset GPU {gpu}: {why}")]
    NotReset {
        /// Which GPU.
        gpu: String,
        /// What was said, and what to do.
        why: String,
    },
    /// The GPU cannot be reset on this node, as on a virtual machine to which it is passed through.
    #[error("GPU {gpu} cannot be reset on this node: {why}; only a reboot resets it")]
    NoReset {
        /// Which GPU.
        gpu: String,
        /// What was said.
        why: String,
    },
    /// The node has no such GPU.
    #[error("there is no GPU {0} on this node; it was replaced, or its UUID is misspelt")]
    NoSuchGpu(String),
    /// The GPU does not offer the profile, or not at this place.
    #[error("GPU {gpu} does not offer {wanted}; it offers {offered}")]
    NoSuchProfile {
        /// Which GPU.
        gpu: String,
        /// Profile, and place.
        wanted: String,
        /// What there is.
        offered: String,
    },
    /// No instance of this profile stands there.
    #[error(
        "there is no {profile} instance at slice {start} of GPU {gpu}; somebody else has changed the GPU"
    )]
    NoSuchInstance {
        /// Which GPU.
        gpu: String,
        /// Profile looked for.
        profile: String,
        /// First memory slice.
        start: i32,
    },
    /// The GPU fell off the bus.
    #[error(
        "{gpu} is lost: it does not answer on the bus any more; reboot the node, and replace the GPU if that does not help"
    )]
    Lost {
        /// `GPU <uuid>`; `GPU <index>` if its UUID was never read.
        gpu: String,
    },
}

fn on(gpu: Option<&str>) -> String {
    gpu.map_or_else(String::new, |gpu| format!(" on GPU {gpu}"))
}
