//! What a product offers, in the terms of the API: as the agent would report it from a driver.

use crds::gpu_node::{Placement, ProfileOffer};

use crate::{Mig, Profile};

impl Mig {
    /// Every profile on offer, in NVML's order.
    pub fn offers(&self) -> Vec<ProfileOffer> {
        self.profiles.iter().map(Profile::offer).collect()
    }
}

impl Profile {
    /// The profile as the agent reports it.
    pub fn offer(&self) -> ProfileOffer {
        let place = |&start: &u32| Placement {
            start: start.cast_signed(),
            size: self.memory_slices.cast_signed(),
        };
        ProfileOffer {
            name: self.name.to_owned(),
            id: self.id.cast_signed(),
            slices: self.compute_slices.cast_signed(),
            max: self.max_instances.cast_signed(),
            memory_mib: self.memory_mib.cast_signed(),
            placements: self.starts.iter().map(place).collect(),
        }
    }
}
