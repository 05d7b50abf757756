//! A simulated NVIDIA driver library, `libnvidia-ml.so.1`, with real MIG rules and no hardware.
//!
//! ```text
//!   C client (agent, nvidia-smi, ...)     nvml-sim ctl, test bed
//!          │ nvml* symbols                       │ SimulatedNode
//!          ▼                                     ▼
//!        ffi ─────────────► rules ◄───────────  node
//!          │                  │ plain functions over a plain State
//!          └──► store ◄───────┼──────────────────┘
//!               │           the crate products: what each GPU model offers
//!               ▼
//!        one JSON file, shared by processes under a lock, replaced atomically
//! ```
//!
//! The file named by `NVML_SIM_STATE` **is** the hardware: every call reads it afresh, and a
//! process that dies at any point leaves the old or the new state. Nothing else is kept but the
//! count of `nvmlInit` calls and the handles given out.
//!
//! `NVML_SIM_LOG=FILE` writes one line for each call: its symbol and its return code; of a function
//! that is not simulated it says so. `NVML_SIM_GATE=SOCKET` asks a gatekeeper before and after
//! each call, who may stop the program there: see the module `gate`.

mod code;
mod ffi;
mod library;
mod node;
mod rules;
pub mod state;
mod store;

pub use code::Code;
pub use ffi::{not_simulated, symbols};
pub use library::{InstallError, install};
pub use node::{Client, Error, GpuView, InstanceView, Pace, SimulatedNode};
pub use store::StoreError;
