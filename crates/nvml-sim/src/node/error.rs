//! Why something asked of a simulated node cannot be.

use crate::Code;

use crate::state::MAX_GPUS;
use crate::store::StoreError;

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
    products::ALL
        .iter()
        .map(|product| product.key)
        .collect::<Vec<_>>()
        .join(", ")
}
