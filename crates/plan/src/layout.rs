//! Where instances stand on a GPU: an exact search for the placement that disturbs least.
//!
//! ```text
//! existing      the instances of a GPU and what moving each would cost (standing: as bits)
//! hardware      what the driver offers, as bits over the memory slices (media: what it does not tell of engines)
//! puzzle        a GPU with instances, and its cheapest layouts (cost: in numbers)
//! packing       the placements of what is wanted that keep the most (ground: what is taken, what is left)
//! steps         the order in which a layout is made
//! explain       why there is none (infeasible, blocked: in words)
//! alternatives  the nearest layouts that there are
//! preset        layouts from the hardware's own list
//! ```
//!
//! The rules are NVML's: instances share no memory slice, their compute slices add up to no more than the GPU has,
//! each profile has a largest number, and media engines are given out once.

mod alternatives;
mod blocked;
mod cost;
mod describe;
mod existing;
mod explain;
mod ground;
mod hardware;
mod infeasible;
mod media;
mod packing;
mod preset;
mod puzzle;
mod standing;
mod steps;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crds::gpu_node::{PlacedProfile, ProfileOffer};
use smallvec::SmallVec;

pub use alternatives::alternatives;
pub use blocked::{BlockedPlace, Blocker};
pub use describe::{counts, describe};
pub use existing::existing;
pub(crate) use hardware::by_size;
pub use infeasible::{Infeasible, Obstacle, Sum};
pub use preset::preset;
pub use steps::Step;

pub(crate) use hardware::Hardware;
pub(crate) use packing::Packed;
pub(crate) use puzzle::Puzzle;

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

/// Instances with their places, and what it takes to get there. Every list is by start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The instances as wanted. Unmovable instances that are not wanted stay beside them and are not listed.
    pub instances: Vec<PlacedProfile>,
    /// Those of them that are there already.
    pub kept: Vec<PlacedProfile>,
    /// Existing instances that go.
    pub destroyed: Vec<PlacedProfile>,
    /// Those that are made.
    pub created: Vec<PlacedProfile>,
    /// Pods, `namespace/name`, that are on instances that go.
    pub evicted: BTreeSet<String>,
    /// How many more instances of each profile would fit afterwards, each profile for itself, the largest first.
    pub spare: Vec<i32>,
}

/// Instances with their places, and what that disturbs, for one GPU of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Placement<'p> {
    /// The instances as wanted, and the room that is left.
    pub(crate) packed: &'p Packed,
    /// The numbered pods that are on instances that go, one bit each.
    pub(crate) gone: u128,
    /// How many other pods to be spared are on instances that go.
    pub(crate) spared: usize,
    /// How many other pods in all.
    pub(crate) evicted: usize,
    /// How many existing instances go.
    pub(crate) destroyed: usize,
    /// How many are made.
    pub(crate) created: usize,
}

/// By profile, the largest first.
pub(crate) type Numbers = SmallVec<[i32; 12]>;

/// Profile and start of every instance of a GPU, the largest profile first. Profiles are numbers of the
/// [`Hardware`], which can [name](Hardware::instances) them.
pub(crate) type Starts = SmallVec<[(usize, i32); 8]>;

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
    search_sparing(offers, existing, wanted, &BTreeSet::new())
}

/// [`search`] that spares some pods, `namespace/name`: before anything else that matters it evicts the fewest of them.
pub fn search_sparing(
    offers: &[ProfileOffer],
    existing: &[Existing],
    wanted: &BTreeMap<String, i32>,
    spared: &BTreeSet<String>,
) -> Result<Layout, Infeasible> {
    let hardware = Hardware::new(offers)?;
    let demand = hardware.demand(wanted)?;
    let puzzle = Puzzle::new(&hardware, existing)?;
    let puzzle = puzzle.counting(spared, &BTreeMap::new());
    let packings = puzzle.packings(&demand);
    let best = puzzle.best(&packings);
    best.map(|solution| puzzle.layout(solution.packed))
        .ok_or_else(|| explain::explain(&hardware, &demand, existing, wanted))
}
