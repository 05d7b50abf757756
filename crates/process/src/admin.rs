//! The admin server: is the process alive, is it ready, what does it count.
//!
//! `/healthz` answers 200 while the process makes progress, `/readyz` 200 while every gate is
//! open, `/metrics` in `OpenMetrics` text.

mod args;
mod liveness;
mod readiness;
mod server;

pub use args::AdminArgs;
pub use liveness::Liveness;
pub use readiness::{Gate, Readiness};
pub use server::{AdminError, AdminServer};
