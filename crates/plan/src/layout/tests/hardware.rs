//! What drivers offer on real products, and what they do not tell.

use std::collections::BTreeMap;

use crds::gpu_node::ProfileOffer;
use products::Mig;

/// The offers of a product with MIG, by its key.
pub(crate) fn offers(product: &str) -> Vec<ProfileOffer> {
    mig(product).offers()
}

fn mig(product: &str) -> &'static Mig {
    let found = products::find(product).unwrap();
    found.mig.as_ref().unwrap()
}

/// The media engines of a product, of four kinds.
#[derive(Clone, Debug, Default)]
pub(super) struct Engines {
    by_profile: BTreeMap<String, [u32; 4]>,
    all: [u32; 4],
}

impl Engines {
    pub(super) fn of(product: &str) -> Self {
        let mig = mig(product);
        let profiles = mig.profiles.iter();
        Self {
            by_profile: profiles
                .map(|profile| (profile.name.to_owned(), profile.engines.media()))
                .collect(),
            all: mig.media(),
        }
    }

    /// Whether the GPU has the engines of all these instances.
    pub(super) fn suffice<'a>(&self, profiles: impl Iterator<Item = &'a str>) -> bool {
        let mut used = [0; 4];
        for profile in profiles {
            let takes = self.by_profile.get(profile).copied().unwrap_or_default();
            used = std::array::from_fn(|kind| used[kind] + takes[kind]);
        }
        used.iter().zip(self.all).all(|(used, all)| *used <= all)
    }
}
