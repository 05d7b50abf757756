//! Programs that others wrote beside our agent: on the same driver they must say the same.
//!
//! ```text
//!   gpu-sharing-agent inventory ──► JSON ───────────────┐
//!                                                       ├──► compare ──► what they disagree on
//!   nvidia-smi -L, -q -x, mig -lgip ... ──► nvidia_smi ─┘
//!        │                     │
//!        └──────────┬──────────┘
//!              libnvidia-ml.so.1     the simulated one in `make test`, NVIDIA's in `make test-gpu`
//! ```
//!
//! What nvidia-smi prints is read back into the very type that the agent reports, field by field, so
//! a new field there does not compile here until somebody says where nvidia-smi shows it.

mod agent;
mod compare;
mod error;
mod fetched;
mod machine;
mod nvidia_smi;
mod simulated;
mod tour;

pub use agent::Inventory;
pub use compare::{Comparison, Difference, differences};
pub use error::{Error, Result};
pub use fetched::{nvidia_smi, python_packages};
pub use machine::{Machine, Output};
pub use simulated::{Simulated, built};
pub use tour::tour;
