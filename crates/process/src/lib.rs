//! What every binary of this project needs before it does its own work.
//!
//! ```text
//!            flags ──► LogArgs · AdminArgs · KubeArgs · LeaseArgs          (parsed once, in main)
//!                                      │
//!   Shutdown ──► Tasks ──┬── workers:  what the binary is for              (told to stop first)
//!   (SIGTERM)            └── supports: AdminServer, lease::Election        (stopped when no worker is left)
//! ```
//!
//! Nothing here knows what the binary does: no GPUs and none of our API types.

pub mod admin;
mod chain;
pub mod duration;
pub mod exit;
pub mod kubernetes;
pub mod lease;
pub mod logs;
pub mod patience;
pub mod shutdown;
pub mod tasks;

pub use chain::Chain;
