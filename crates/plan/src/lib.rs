//! The decisions of the GPU sharing operator, as functions of their arguments.
//!
//! ```text
//! resolve        policies × nodes → what each node should be (layout: exact placements; change: what that disturbs)
//! admission      which nodes of a policy may be out of service now (windows: when)
//! maintenance    one step of one node: observed → status and effects (drain: who leaves; node, pod: what was seen)
//! plugin_config  what NVIDIA's device plugin is told, and what the node must advertise then
//! diagnosis      why NVIDIA's device plugin does not do what it is told
//! neighbours     who else divides a node's GPUs: NVIDIA's MIG Manager and DRA driver, HAMi, nos, InstaSlice
//! reason         the one table of the words that conditions and events carry
//! mps            limits of MPS clients, and what to do next about the MPS daemon of a node
//! ```
//!
//! Nothing here reads a clock, an environment, a file or a socket, and nothing waits: the caller observes, passes `now`,
//! and acts on the answer.

pub mod admission;
pub mod change;
pub mod conditions;
pub mod diagnosis;
pub mod drain;
pub mod guarantees;
pub mod layout;
pub mod maintenance;
pub mod mps;
pub mod neighbours;
pub mod node;
mod offer;
pub mod plugin_config;
pub mod pod;
pub mod profile;
mod quoted;
pub mod reason;
pub mod resolve;
pub mod windows;
