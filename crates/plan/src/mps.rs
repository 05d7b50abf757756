//! CUDA MPS on a node: what its clients may use, and what to do next about its control daemon.
//!
//! ```text
//! limits  GPUs × settings → the limits to tell the daemon, or why not
//! step    (wanted, state, seen, now) → (state, action): one look at one daemon
//! ```

mod limits;
mod patience;
mod state;
mod step;
#[cfg(test)]
mod tests;

pub use limits::{Limits, Refusal, Settings, client, limits};
pub use patience::Patience;
pub use state::{Action, Behind, Seen, Setup, Stage, State};
pub use step::step;
