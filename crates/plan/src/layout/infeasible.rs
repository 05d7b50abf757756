//! What is wrong with a layout that cannot be had, for a person.

use std::fmt;

use super::{BlockedPlace, Existing, Occupancy};

/// Why a layout cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Infeasible {
    /// There are no profiles.
    #[error(
        "the driver offers no MIG profiles for this GPU: either the product has no MIG, or the driver lists profiles only with MIG mode on"
    )]
    NothingOffered,
    /// The hardware has no such profile.
    #[error("this GPU has no profile {profile}; it offers {}", .offered.join(", "))]
    NotOffered {
        /// The wanted profile.
        profile: String,
        /// What there is, the largest first.
        offered: Vec<String>,
    },
    /// More of a profile than the driver allows.
    #[error("{wanted} slices of {profile} are wanted, and this GPU has room for {max}")]
    TooMany {
        /// The profile.
        profile: String,
        /// How many are wanted.
        wanted: i32,
        /// How many the driver allows.
        max: i32,
    },
    /// Not even an empty GPU has room.
    #[error("{layout} does not fit on this GPU, not even on an empty one: {}", Sums(.compute, .memory))]
    TooLarge {
        /// The wanted layout in few words.
        layout: String,
        /// Compute slices.
        compute: Sum,
        /// Memory slices.
        memory: Sum,
        /// The places of the profiles that find none, and what keeps them from each.
        places: Vec<BlockedPlace>,
    },
    /// Profiles of which one takes media engines that the other needs.
    #[error(
        "{layout} does not fit on this GPU: {}; beside +me there can be no other +me, and beside +me.all only -me",
        engines(.profiles)
    )]
    MediaEngines {
        /// The wanted layout in few words.
        layout: String,
        /// Those that do not go together.
        profiles: Vec<String>,
        /// The places of the profiles that find none, and what keeps them from each.
        places: Vec<BlockedPlace>,
    },
    /// There is room, but for instances that must not be destroyed.
    #[error("{layout} cannot be placed beside {}", list(.by))]
    Blocked {
        /// The wanted layout in few words.
        layout: String,
        /// Without these it can be placed, and without any fewer of them it cannot.
        by: Vec<Obstacle>,
        /// The places of the profiles that find none, and what keeps them from each.
        places: Vec<BlockedPlace>,
    },
    /// The driver's account contradicts itself.
    #[error(
        "the driver reports {profile} at memory slice {start} with {size} slices, where nothing can stand or something else does; restart the agent on the node, and compare with nvidia-smi mig -lgi"
    )]
    Implausible {
        /// The profile.
        profile: String,
        /// First slice.
        start: i32,
        /// Number of slices.
        size: i32,
    },
}

/// What a layout takes of something, and what there is of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sum {
    /// Taken by the layout.
    pub taken: i32,
    /// On the GPU.
    pub total: i32,
}

/// An instance in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// Its profile.
    pub profile: String,
    /// First memory slice.
    pub start: i32,
    /// Number of memory slices.
    pub size: i32,
    /// Why it must not be destroyed: a clause.
    pub why: String,
}

impl Obstacle {
    /// An existing instance as an obstacle.
    pub(super) fn of(existing: &Existing) -> Self {
        Self {
            profile: existing.profile.clone(),
            start: existing.start,
            size: existing.size,
            why: match &existing.occupancy {
                Occupancy::Unmovable(why) => why.clone(),
                Occupancy::Free | Occupancy::Pods(_) => "it may be destroyed".to_owned(),
            },
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            profile,
            start,
            why,
            ..
        } = self;
        write!(f, "{profile} at slice {start} ({why})")
    }
}

struct Sums<'a>(&'a Sum, &'a Sum);

impl fmt::Display for Sums<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(compute, memory) = self;
        if compute.taken <= compute.total && memory.taken <= memory.total {
            return f.write_str("the places that the driver allows for these profiles overlap");
        }
        write!(
            f,
            "it takes {} of {} compute slices and {} of {} memory slices",
            compute.taken, compute.total, memory.taken, memory.total
        )
    }
}

fn engines(profiles: &[String]) -> String {
    let profiles = profiles.join(" and ");
    format!("{profiles} need the same media engines")
}

fn list(by: &[Obstacle]) -> String {
    let by: Vec<_> = by.iter().map(Obstacle::to_string).collect();
    by.join(" and ")
}
