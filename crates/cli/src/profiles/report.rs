//! What is known of a product: the form of the JSON output.

use products::{Product, Profile};
use serde::Serialize;

/// A product.
#[derive(Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Its key on the command line.
    pub product: &'static str,
    /// The driver's name for it.
    pub name: &'static str,
    /// Whether it has MIG. Without it there are no slices and no profiles.
    pub mig: bool,
    /// Compute slices of the whole GPU.
    pub compute_slices: u32,
    /// Memory slices of the whole GPU: the unit of placements.
    pub memory_slices: u32,
    /// In the driver's order.
    pub profiles: Vec<Shown>,
}

/// A profile.
#[derive(Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Shown {
    /// Its name.
    pub name: &'static str,
    /// The driver's id.
    pub id: u32,
    /// Compute slices.
    pub slices: u32,
    /// Memory slices.
    pub memory_slices: u32,
    /// Memory in MiB.
    #[serde(rename = "memoryMiB")]
    pub memory_mib: u64,
    /// The most instances on an empty GPU.
    pub max: u32,
    /// The memory slices at which an instance may start.
    pub placements: &'static [u32],
}

impl Report {
    /// What is known of `product`.
    pub fn of(product: &'static Product) -> Self {
        let mig = product.mig.as_ref();
        Self {
            product: product.key,
            name: product.name,
            mig: mig.is_some(),
            compute_slices: mig.map_or(0, |mig| mig.compute_slices),
            memory_slices: mig.map_or(0, |mig| mig.memory_slices),
            profiles: mig
                .map_or(&[][..], |mig| mig.profiles)
                .iter()
                .map(Shown::of)
                .collect(),
        }
    }
}

impl Shown {
    const fn of(profile: &Profile) -> Self {
        Self {
            name: profile.name,
            id: profile.id,
            slices: profile.compute_slices,
            memory_slices: profile.memory_slices,
            memory_mib: profile.memory_mib,
            max: profile.max_instances,
            placements: profile.starts,
        }
    }
}
