//! What pods ask for when they ask for a slice.

use crds::names::RESOURCE_PREFIX;

/// The resource under which NVIDIA's device plugin advertises slices of a profile with `migStrategy: mixed`:
/// `1g.5gb+me` is `nvidia.com/mig-1g.5gb.me`; a minus stays (k8s-device-plugin, `internal/rm/rm.go`).
pub fn resource(profile: &str) -> String {
    format!("{RESOURCE_PREFIX}mig-{}", profile.replace('+', "."))
}

/// The one of the `offered` profiles whose slices are advertised as this resource. No two profiles have one resource.
///
/// It takes the hardware's own list, because the name of the resource alone does not say where the profile's ends:
/// `nvidia.com/mig-1g.5gb.shared` is a `1g.5gb` that pods share.
pub fn of_resource<'a>(name: &str, offered: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    offered
        .into_iter()
        .find(|profile| resource(profile) == name)
}
