//! What is wrong with the slices that a policy asks for, whatever the hardware.

use std::collections::BTreeMap;

use crds::policy::{Advertise, Mig};

use super::{Problem, ProblemReason};
use crate::profile::ProfileName;

/// A layout and the path of what it stands in; none where a preset stands in its place.
type Layout<'a> = (Option<&'a BTreeMap<String, i32>>, String);

/// Everything, in the order of the fields; `path` is that of `mig`.
pub(super) fn problems(mig: &Mig, path: &str) -> Vec<Problem> {
    let products = mig.per_product.iter().enumerate();
    let products =
        products.map(|(index, it)| (it.layout.as_ref(), format!("{path}.perProduct[{index}]")));
    let layouts: Vec<Layout<'_>> = [(mig.layout.as_ref(), path.to_owned())]
        .into_iter()
        .chain(products)
        .collect();
    let mut problems: Vec<_> = layouts.iter().flat_map(of_names).collect();
    if mig.advertise == Advertise::Single {
        problems.extend(layouts.iter().filter_map(unlike));
    }
    problems.extend(of_replicas(mig, path, &layouts));
    problems
}

fn of_names((layout, path): &Layout<'_>) -> Vec<Problem> {
    let names = layout.iter().flat_map(|layout| layout.keys());
    let wrong = names.filter_map(|name| name.parse::<ProfileName>().err());
    let path = format!("{path}.layout");
    wrong
        .map(|error| Problem::new(ProblemReason::UnknownProfile, &*path, error.to_string()))
        .collect()
}

/// NVIDIA's device plugin ends where slices that differ are to have one name (k8s-device-plugin,
/// `internal/rm/device_map.go`).
fn unlike((layout, path): &Layout<'_>) -> Option<Problem> {
    let profiles: Vec<_> = layout.as_ref()?.keys().map(String::as_str).collect();
    (profiles.len() > 1).then(|| {
        let message = format!(
            "with advertise: Single all slices must be alike, and these are {}; write one profile, or advertise: Mixed",
            profiles.join(" and ")
        );
        Problem::new(ProblemReason::Conflict, format!("{path}.layout"), message)
    })
}

/// Replicas of a profile that the policy never makes are most likely meant for another.
fn of_replicas(mig: &Mig, path: &str, layouts: &[Layout<'_>]) -> Vec<Problem> {
    let path = format!("{path}.timeSlicing.perProfile");
    let known = |name: &str| {
        let mut layouts = layouts.iter();
        layouts.any(|(layout, _)| layout.is_none_or(|layout| layout.contains_key(name)))
    };
    let message = |name: &String| match name.parse::<ProfileName>() {
        Err(error) => Some(error.to_string()),
        Ok(_) if known(name) => None,
        Ok(_) => Some(format!(
            "no layout of this strategy has slices of {name}; write the profile of one that it has, or take {name} out"
        )),
    };
    let replicas = mig.time_slicing.iter().flat_map(|it| it.per_profile.keys());
    let wrong = replicas.filter_map(message);
    wrong
        .map(|message| Problem::new(ProblemReason::UnknownProfile, &*path, message))
        .collect()
}
