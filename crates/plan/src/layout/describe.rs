//! Layouts in few words.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crds::gpu_node::MigTarget;

use crate::profile::ProfileName;

/// A GPU's slices in few words, the largest first: `7x1g.5gb`, `3g.20gb+2g.10gb+2x1g.5gb`; `whole` without MIG, and
/// `no slices` with MIG mode on and no instance.
pub fn describe(mig: &MigTarget) -> String {
    if !mig.enabled {
        return "whole".to_owned();
    }
    let mut numbers = BTreeMap::new();
    for instance in &mig.instances {
        *numbers.entry(instance.profile.clone()).or_insert(0) += 1;
    }
    counts(&numbers)
}

/// Numbers of slices by profile in few words, the largest first: `3g.20gb+2x1g.5gb`; `no slices` if there are none.
pub fn counts(numbers: &BTreeMap<String, i32>) -> String {
    let mut parts: Vec<_> = numbers.iter().filter(|&(_, &number)| number > 0).collect();
    parts.sort_by_cached_key(|(profile, _)| {
        let size = profile
            .parse::<ProfileName>()
            .map(|name| (name.slices, name.gigabytes));
        Reverse(size.unwrap_or_default())
    });
    if parts.is_empty() {
        return "no slices".to_owned();
    }
    let parts: Vec<_> = parts
        .into_iter()
        .map(|(profile, number)| match number {
            1 => profile.clone(),
            _ => format!("{number}x{profile}"),
        })
        .collect();
    parts.join("+")
}
