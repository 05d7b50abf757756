//! Layouts in few words.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use crds::gpu_node::MigTarget;

use crate::profile::ProfileName;

/// A GPU's slices in few words, the largest first: `7x1g.5gb`, `3g.20gb+2g.10gb+2x1g.5gb`; `whole` without MIG, and
/// `no slices` with MIG mode on and no instance.
pub fn describe(mig: &MigTarget) -> String {
    if !mig.enabled {
        return "whole".to_owned();
    }
    let mut numbers: Vec<(&str, i32)> = Vec::new();
    for instance in &mig.instances {
        match numbers.iter_mut().find(|(it, _)| *it == instance.profile) {
            Some((_, number)) => *number += 1,
            None => numbers.push((&instance.profile, 1)),
        }
    }
    written(numbers)
}

/// Numbers of slices by profile in few words, the largest first: `3g.20gb+2x1g.5gb`; `no slices` if there are none.
pub fn counts(numbers: &BTreeMap<String, i32>) -> String {
    let some = numbers.iter().filter(|&(_, &number)| number > 0);
    let named = some.map(|(profile, &number)| (profile.as_str(), number));
    written(named.collect())
}

fn written(mut parts: Vec<(&str, i32)>) -> String {
    parts.sort_by_cached_key(|(profile, _)| {
        let name = profile.parse::<ProfileName>();
        let size = name.map(|name| (name.slices, name.gigabytes));
        (Reverse(size.unwrap_or_default()), *profile)
    });
    let mut text = String::new();
    for (profile, number) in parts {
        if !text.is_empty() {
            text.push('+');
        }
        if number > 1 {
            // Writing to a String cannot fail.
            let _ = write!(text, "{number}x");
        }
        text.push_str(profile);
    }
    if text.is_empty() {
        text.push_str("no slices");
    }
    text
}
