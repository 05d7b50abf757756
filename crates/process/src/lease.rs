//! Leader election over a `coordination.k8s.io/v1` Lease, by compare-and-swap.
//!
//! ```text
//!   store ── what is written? ──► decision ── create · acquire · renew · wait ──► store (PUT with the
//!     ▲                                                                                 version read)
//!     └──── election: every retry period ◄────────────────────────────────────────────────┘
//!                     └──► leadership: am I the leader, for how much longer?
//! ```
//!
//! Two rules keep two leaders from acting at once. A contender takes a lease only after it has seen
//! the record unchanged for the lease's whole duration **by its own monotonic clock** (client-go's
//! rule); the times written in the record are for people, and a wrong clock anywhere harms nobody.
//! And a leader counts its lease from **before** it sent the last renewal that succeeded, and gives
//! up at the renew deadline, which is shorter than the lease.
//!
//! What this cannot see: a machine that is suspended stops its monotonic clock too. Effects that must
//! not be doubled need a precondition of their own (a UID, a resource version).

mod args;
mod decision;
mod election;
mod leadership;
mod record;
mod store;

pub use args::{ElectionConfig, LeaseArgs, Timing, TimingError};
pub use election::{Election, ElectionError};
pub use leadership::Leadership;
pub use store::StoreError;

#[cfg(test)]
mod tests;
