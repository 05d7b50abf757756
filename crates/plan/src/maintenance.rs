//! One step of one node's maintenance: what was observed → the status to write and the effects to perform.
//!
//! ```text
//!          drift           slot            agent Ready       node marked        jobs over          nobody left, quiet
//!  InSync ───────► Pending ─────► Preparing ──────► Cordoning ───► WaitingJobs ───► Draining ───────► Repartitioning
//!    ▲               ▲               │                  │               │               │                │      │
//!    │               └─ Releasing ◄──┴──────────────────┴───────────────┴───────────────┴──── not begun ─┘      │
//!    │                 (uncordoned if the cordon is ours)                                                       │
//!    └── Uncordoning ◄── Validating ◄── target reached ─────────────────────────────────────────────────────────┤
//!                            ▲  └─ too late ─► Quarantined ◄── failed ── RollingBack ◄── a step failed ─────────┘
//!                            └───────────────── layout from before is back ──┘
//! ```
//!
//! The point of no return is the agent's word `Destroying` in `status.agent.operation`. Before it every failure goes
//! back to how the node was; after it there are three ways out: the target, the layout from before, a person.
//!
//! How to drive it: read everything afresh, call [`step`], perform the effects in order and stop at the first that
//! fails, write the status if it differs from the one read (compare-and-swap on the `GpuNode`), emit the events once
//! the status is written, and look again: at once if there were effects, otherwise when [`Step::next`] says. A phase is
//! entered in one step and acts in later ones, so a crash between any two writes is harmless: the next look does again
//! what has not happened, and nothing twice.

mod limits;
mod pulse;
mod step;

pub use limits::Limits;
pub use pulse::Pulse;
pub use step::{Effect, Event, EventKind, Next, Step};

pub use crate::drain::EvictionMemory;
