//! Where instances stand on a GPU: an exact search for the placement that disturbs least.
//!
//! ```text
//! existing    the instances of a GPU and what moving each would cost (standing: as bits)
//! hardware    what the driver offers, as bits over the memory slices
//! puzzle      which instances stay: every choice, cheapest first
//! packing     where the others go: every placement around those that stay
//! explain     why there is none (infeasible: in words)
//! ```
//!
//! The rules are NVML's: instances share no memory slice, their compute slices add up to no more than the GPU has, and
//! each profile has a largest number. That `+me.all` instances tolerate none but `-me` beside them is not modelled: the
//! driver refuses such a layout when it is made.

mod describe;
mod existing;
mod explain;
mod hardware;
mod infeasible;
mod packing;
mod preset;
mod puzzle;
mod standing;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crds::gpu_node::{PlacedProfile, ProfileOffer};

pub use describe::{counts, describe};
pub use existing::existing;
pub(crate) use existing::stands_on;
pub use infeasible::{Infeasible, Obstacle, Sum};
pub use preset::preset;

/// An instance that is on the GPU now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Existing {
    /// Its profile.
    pub profile: String,
    /// First memory slice, from 0.
    pub start: i32,
    /// Memory slices.
    pub size: i32,
    /// Whether it has its one whole compute instance. Without it, it is no device for pods: it can never be kept as part
    /// of a layout, only left or destroyed.
    pub whole: bool,
    /// Who is on it.
    pub occupancy: Occupancy,
}

/// What destroying an instance would mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Occupancy {
    /// Nobody is on it.
    Free,
    /// These pods, `namespace/name`, would have to leave.
    Pods(BTreeSet<String>),
    /// It must not be destroyed: why, as a clause for a person.
    Unmovable(String),
}

/// Instances with their places, and what it takes to get there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The instances as wanted, by start. Unmovable instances that are not wanted stay beside them and are not listed.
    pub instances: Vec<PlacedProfile>,
    /// How many of them are there already.
    pub kept: usize,
    /// How many existing instances go.
    pub destroyed: usize,
    /// How many instances are made.
    pub created: usize,
    /// Pods, `namespace/name`, that are on instances that go.
    pub evicted: BTreeSet<String>,
}

/// Finds the places for the `wanted` number of instances of each profile on a GPU with these `offers` and `existing`
/// instances.
///
/// Exact: an answer is infeasible only if there is no placement at all. Among all placements it takes the one that, in
/// this order, evicts the fewest pods, destroys and then creates the fewest instances, leaves room for the most
/// instances of the largest profile (then of the next), and stands at the lowest starts, the largest profile first.
/// Deterministic, and stable: searching again from the result keeps everything. Wanted numbers below 1 count as none.
pub fn search(
    offers: &[ProfileOffer],
    existing: &[Existing],
    wanted: &BTreeMap<String, i32>,
) -> Result<Layout, Infeasible> {
    let hardware = hardware::Hardware::new(offers)?;
    let demand = hardware.demand(wanted)?;
    puzzle::Puzzle::new(&hardware, &demand, existing)?
        .solve()
        .ok_or_else(|| explain::explain(&hardware, &demand, existing, wanted))
}
