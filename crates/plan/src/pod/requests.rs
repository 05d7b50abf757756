//! How many GPUs and slices a pod asks for.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Pod};

use crate::node::is_gpu_resource;

/// What a pod asks for as the scheduler counts it: containers together, but at least what any init container asks for.
/// (Init containers that run on beside the others count with them.)
pub(super) fn gpus(pod: &Pod) -> BTreeMap<String, i64> {
    let Some(spec) = &pod.spec else {
        return BTreeMap::new();
    };
    let init = spec.init_containers.as_deref().unwrap_or_default();
    let (beside, before): (Vec<_>, Vec<_>) = init
        .iter()
        .partition(|container| container.restart_policy.as_deref() == Some("Always"));
    let mut total = BTreeMap::new();
    for (name, count) in spec.containers.iter().chain(beside).flat_map(asked) {
        *total.entry(name).or_default() += count;
    }
    for (name, count) in before.into_iter().flat_map(asked) {
        let most = total.entry(name).or_default();
        *most = count.max(*most);
    }
    total
}

/// Extended resources are asked for by limit; a request, if there is one, equals it.
pub(super) fn asked(container: &Container) -> Vec<(String, i64)> {
    container
        .resources
        .as_ref()
        .and_then(|resources| resources.limits.as_ref().or(resources.requests.as_ref()))
        .into_iter()
        .flatten()
        .filter(|(name, _)| is_gpu_resource(name))
        .filter_map(|(name, quantity)| Some((name.clone(), quantity.0.parse().ok()?)))
        .filter(|(_, count)| *count > 0)
        .collect()
}
