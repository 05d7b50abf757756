//! Layouts from the hardware's own list of profiles.

use std::collections::BTreeMap;

use crds::gpu_node::ProfileOffer;
use crds::policy::MigPreset;

use super::{Infeasible, search};
use crate::profile::ProfileName;

/// The numbers of slices by profile that a preset means on a GPU with these offers.
///
/// Only plain profiles count, and of those with the same compute slices the one with the least memory: `1g.10gb` of an
/// A100 40GB stands for no more compute than `1g.5gb` and is left to explicit layouts. `Balanced` is NVIDIA's
/// `all-balanced` (mig-parted): two of the smallest, one of the next, one of the next after that, as far as there is
/// room. The only error is that nothing is on offer.
pub fn preset(
    preset: MigPreset,
    offers: &[ProfileOffer],
) -> Result<BTreeMap<String, i32>, Infeasible> {
    let sizes = sizes(offers);
    let (Some(smallest), Some(largest)) = (sizes.first(), sizes.last()) else {
        return Err(Infeasible::NothingOffered);
    };
    let wishes: Vec<_> = match preset {
        MigPreset::Balanced => {
            let next = sizes.iter().skip(1).take(2);
            [smallest, smallest].into_iter().chain(next).collect()
        }
        MigPreset::Smallest => (0..smallest.max).map(|_| smallest).collect(),
        MigPreset::Largest => vec![largest],
    };
    let mut layout = BTreeMap::new();
    for offer in wishes {
        let mut more = layout.clone();
        *more.entry(offer.name.clone()).or_insert(0) += 1;
        if search(offers, &[], &more).is_ok() {
            layout = more;
        }
    }
    Ok(layout)
}

/// One plain profile for each number of compute slices, the smallest first.
fn sizes(offers: &[ProfileOffer]) -> Vec<&ProfileOffer> {
    let plain = |offer: &&ProfileOffer| {
        let name = offer.name.parse::<ProfileName>();
        name.is_ok_and(|name| name.is_plain())
    };
    let mut sizes: Vec<_> = offers.iter().filter(plain).collect();
    sizes.sort_by_key(|offer| (offer.slices, offer.memory_mib));
    sizes.dedup_by_key(|offer| offer.slices);
    sizes
}
