//! As what a device is handed out: under which name, and to how many pods.

#[cfg(test)]
mod tests;

use std::fmt;

use crds::gpu_node::{GpuTarget, Target};
use crds::names::RESOURCE_PREFIX;
use crds::policy::Advertise;

use crate::profile;

/// The resource as which NVIDIA's device plugin advertises whole GPUs, and with `migStrategy: single` slices
/// (k8s-device-plugin, `internal/rm/rm.go`).
pub(crate) const GPU: &str = "nvidia.com/gpu";
/// What the plugin adds to the name of a shared resource if it is to rename it (`api/config/v1/consts.go`).
pub(crate) const SHARED: &str = ".shared";

/// As what NVIDIA's device plugin hands out a GPU or a slice. Displayed, the resource that pods ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Offer<'a> {
    /// The profile that it is called after; none: it is [`GPU`].
    profile: Option<&'a str>,
    /// How many pods may have it at once. 1: it is not shared.
    pub(crate) replicas: i32,
    renamed: bool,
}

impl<'a> Offer<'a> {
    /// Of a slice of this profile; none: of a whole GPU. `rename`: how the plugin calls what is shared.
    pub(crate) fn new(
        profile: Option<&'a str>,
        advertise: Advertise,
        replicas: i32,
        rename: bool,
    ) -> Self {
        let profile = match advertise {
            Advertise::Mixed => profile,
            Advertise::Single => None,
        };
        Self {
            profile,
            replicas: replicas.max(1),
            renamed: rename && replicas > 1,
        }
    }

    /// Of a GPU of the target, or of a slice of this profile on it.
    pub(crate) fn of(target: &Target, gpu: &GpuTarget, profile: Option<&'a str>) -> Self {
        let sharing = &gpu.sharing;
        let replicas = profile.map_or(sharing.replicas, |it| sharing.replicas_of(it));
        Self::new(profile, target.advertise, replicas, target.replicas.rename)
    }

    /// The resource before it is shared: what the plugin's configuration calls it.
    pub(crate) fn base(self) -> String {
        self.profile
            .map_or_else(|| GPU.to_owned(), profile::resource)
    }

    /// Whether it is handed out under this name.
    pub(crate) fn is_called(self, resource: &str) -> bool {
        let base = if self.renamed {
            resource.strip_suffix(SHARED)
        } else {
            Some(resource)
        };
        base.is_some_and(|base| match self.profile {
            None => base == GPU,
            Some(profile) => is_of(base, profile),
        })
    }
}

/// Whether slices of the profile are advertised under this name: [`profile::resource`] without a text of its own, because
/// it is asked for every pod of a node.
fn is_of(resource: &str, profile: &str) -> bool {
    let name = resource.strip_prefix(RESOURCE_PREFIX);
    let name = name.and_then(|name| name.strip_prefix("mig-"));
    let dotted = profile.bytes().map(|it| if it == b'+' { b'.' } else { it });
    name.is_some_and(|name| name.bytes().eq(dotted))
}

impl fmt::Display for Offer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base())?;
        f.write_str(if self.renamed { SHARED } else { "" })
    }
}
