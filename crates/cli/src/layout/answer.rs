//! What is found out about a layout: the form of the JSON output.

use std::collections::BTreeMap;

use crds::gpu_node::PlacedProfile;
use plan::layout::{
    BlockedPlace, Blocker, Existing, Infeasible, Layout, Step, alternatives, search,
};
use products::{Mig, Product};
use serde::Serialize;

/// Whether there is a layout, and which; else why not, and what there is instead. All lists are by start, except steps,
/// which are in their order, and alternatives, which have the nearest first.
#[derive(Debug, Default, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// Whether there is a placement.
    pub feasible: bool,
    /// The instances as wanted: those that are kept, and those that are created.
    pub placements: Vec<Instance>,
    /// Those that are there already.
    pub kept: Vec<Instance>,
    /// Those that go.
    pub destroyed: Vec<Instance>,
    /// Those that are made.
    pub created: Vec<Instance>,
    /// How many pods have to leave.
    pub evictions: usize,
    /// What is done, one after the other.
    pub steps: Vec<Action>,
    /// For each profile of which not all have a place: everything that keeps it from each of its places.
    pub blocked_by: Vec<Blocked>,
    /// Numbers of slices by profile.
    pub alternatives: Vec<BTreeMap<String, i32>>,
    /// Why there is no placement, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// An instance and its place.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Instance {
    /// Its profile.
    pub profile: String,
    /// First memory slice.
    pub start: i32,
    /// Memory slices.
    pub size: u32,
}

/// One instance less, or one more.
#[derive(Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Action {
    /// What is done.
    pub verb: Verb,
    /// To what.
    #[serde(flatten)]
    pub instance: Instance,
}

/// What a step does.
#[derive(Clone, Copy, Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum Verb {
    /// An instance goes.
    Destroy,
    /// An instance is made.
    Create,
}

/// A place that cannot be had.
#[derive(Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Blocked {
    /// The profile.
    pub profile: String,
    /// First memory slice of the place.
    pub start: i32,
    /// What keeps the profile from it: `2g.10gb@0` if it is an instance that must not be destroyed, else a clause.
    pub by: String,
}

impl Answer {
    /// Looks for the least disturbing layout with the `wanted` numbers of slices.
    pub fn find(product: &Product, existing: &[Existing], wanted: &BTreeMap<String, i32>) -> Self {
        let Some(mig) = &product.mig else {
            let reason = format!("{} has no MIG", product.name);
            return Self {
                reason: Some(reason),
                ..Self::default()
            };
        };
        let offers = mig.offers();
        match search(&offers, existing, wanted) {
            Ok(layout) => Self::of(mig, &layout),
            Err(infeasible) => Self {
                reason: Some(infeasible.to_string()),
                blocked_by: blocked(infeasible),
                alternatives: alternatives(&offers, existing, wanted),
                ..Self::default()
            },
        }
    }

    fn of(mig: &Mig, layout: &Layout) -> Self {
        let instance = |placed: &PlacedProfile| Instance {
            size: mig
                .by_name(&placed.profile)
                .map_or(0, |it| it.memory_slices),
            profile: placed.profile.clone(),
            start: placed.start,
        };
        let instances = |placed: &[PlacedProfile]| placed.iter().map(instance).collect();
        let action = |step: Step| {
            let (verb, placed) = match step {
                Step::Destroy(placed) => (Verb::Destroy, placed),
                Step::Create(placed) => (Verb::Create, placed),
            };
            let instance = instance(&placed);
            Action { verb, instance }
        };
        Self {
            feasible: true,
            placements: instances(&layout.instances),
            kept: instances(&layout.kept),
            destroyed: instances(&layout.destroyed),
            created: instances(&layout.created),
            evictions: layout.evicted.len(),
            steps: layout.steps().into_iter().map(action).collect(),
            ..Self::default()
        }
    }
}

fn blocked(infeasible: Infeasible) -> Vec<Blocked> {
    let places = match infeasible {
        Infeasible::TooLarge { places, .. }
        | Infeasible::MediaEngines { places, .. }
        | Infeasible::Blocked { places, .. } => places,
        Infeasible::NothingOffered
        | Infeasible::NotOffered { .. }
        | Infeasible::TooMany { .. }
        | Infeasible::Implausible { .. } => Vec::new(),
    };
    let blocked = |BlockedPlace { profile, start, by }| Blocked {
        profile,
        start,
        by: clause(&by),
    };
    places.into_iter().map(blocked).collect()
}

fn clause(by: &Blocker) -> String {
    match by {
        Blocker::Instance(it) => format!("{}@{}", it.profile, it.start),
        Blocker::Wanted(it) => format!("{}@{}, which is wanted too", it.profile, it.start),
        Blocker::MediaEngines(it) => {
            format!("{}@{}, which has the media engines", it.profile, it.start)
        }
        Blocker::Compute { .. } | Blocker::Number { .. } => by.to_string(),
    }
}
