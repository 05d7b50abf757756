//! The search against tables and against an oracle; here, what the tests share.

mod agreement;
mod alternatives;
mod blocked;
mod cases;
pub(crate) mod hardware;
mod inventory;
mod oracle;
mod presets;
mod properties;
mod tables;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use super::{Existing, Layout, Occupancy};

/// One of each shape; the others differ in names and memory alone.
const PRODUCTS: [&str; 4] = ["A100-SXM4-40GB", "H100-SXM5-80GB", "A30", "RTX-PRO-6000"];

/// Numbers of instances by profile.
type Numbers = &'static [(&'static str, i32)];

fn wanted(numbers: &[(&str, i32)]) -> BTreeMap<String, i32> {
    let own = |&(profile, number): &(&str, i32)| (profile.to_owned(), number);
    numbers.iter().map(own).collect()
}

fn instance(profile: &str, start: i32, size: i32, occupancy: Occupancy) -> Existing {
    Existing {
        profile: profile.to_owned(),
        start,
        size,
        whole: true,
        occupancy,
    }
}

fn free(profile: &str, start: i32, size: i32) -> Existing {
    instance(profile, start, size, Occupancy::Free)
}

fn held(profile: &str, start: i32, size: i32, pods: &[&str]) -> Existing {
    instance(profile, start, size, Occupancy::Pods(set(pods)))
}

fn unmovable(profile: &str, start: i32, size: i32) -> Existing {
    instance(
        profile,
        start,
        size,
        Occupancy::Unmovable("for a test".to_owned()),
    )
}

/// How many are kept, destroyed and created.
fn numbers(layout: &Layout) -> [usize; 3] {
    [&layout.kept, &layout.destroyed, &layout.created].map(Vec::len)
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// `3g.20gb@4` and the like, by start.
fn places(layout: &Layout) -> Vec<String> {
    let text = |i: &crds::gpu_node::PlacedProfile| format!("{}@{}", i.profile, i.start);
    layout.instances.iter().map(text).collect()
}
