//! What NVIDIA's device plugin is told, and what the node must advertise then.
//!
//! The plugin (k8s-device-plugin v0.20) reads a configuration of version v1 per node, chosen by a node label that names
//! a key of a `ConfigMap`. It notices a change of that label and nothing else: not a changed entry, not new devices. So
//! a key names its content by a hash, and each content has two keys, so that every operation can change the label.

mod entry;
#[cfg(test)]
mod tests;

pub use entry::{Entry, annotation, entries};

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crds::gpu_node::{GpuStatus, GpuTarget, MigMode, ReplicaRules, Target};
use crds::policy::{Advertise, StrategyType};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::guarantees;
use crate::offer::{GPU, Offer, SHARED};
use crate::profile;

/// The configuration for a node whose GPUs are as the target says, as YAML: the same text for the same target.
pub fn render(target: &Target) -> String {
    let replicas = replicas(target);
    let sharing = (!replicas.is_empty()).then(|| {
        let resources = replicas.into_iter();
        let resources = resources.map(|(name, replicas)| Resource { name, replicas });
        sharing(target, resources.collect())
    });
    let config = Config {
        version: "v1",
        flags: Flags {
            mig_strategy: strategy(target),
        },
        sharing,
    };
    // Structs of texts and numbers: nothing in them can fail to be written.
    serde_saphyr::to_string(&config).unwrap_or_default()
}

/// The plugin shares every resource of a node in one way: targets with MPS have nothing else.
fn sharing(target: &Target, resources: Vec<Resource>) -> Sharing {
    let replicated = Replicated {
        rename_by_default: target.replicas.rename,
        fail_requests_greater_than_one: target.replicas.fail_requests_greater_than_one,
        resources,
    };
    let mut whole = target.gpus.iter().filter(|gpu| !gpu.mig.enabled);
    if whole.any(|gpu| gpu.sharing.r#type == StrategyType::Mps) {
        Sharing::Mps(replicated)
    } else {
        Sharing::TimeSlicing(replicated)
    }
}

/// What the node must be able to allocate with these GPUs and the target's configuration. Any other resource of NVIDIA's
/// (`nvidia.com/gpu…`, `nvidia.com/mig-…`) must be 0 or absent.
///
/// With `mixed` and `single` a GPU in MIG mode counts by its whole MIG devices only; with `none` every GPU counts as one
/// (k8s-device-plugin, `internal/rm/device_map.go`).
pub fn advertised(gpus: &[GpuStatus], target: &Target) -> BTreeMap<String, i64> {
    let (strategy, replicas) = (strategy(target), replicas(target));
    let mut resources = BTreeMap::new();
    let devices = gpus.iter().flat_map(|gpu| devices(gpu, strategy));
    for device in devices {
        let (name, number) = match replicas.get(&device) {
            Some(number) => (shared(device, target.replicas), i64::from(*number)),
            None => (device, 1),
        };
        *resources.entry(name).or_insert(0) += number;
    }
    resources
}

/// What of it the target's own devices make, before they are there: slices of others are not counted.
pub fn promised(target: &Target) -> BTreeMap<String, i64> {
    let mut resources = BTreeMap::new();
    let offers = target.gpus.iter().flat_map(|gpu| offers(target, gpu));
    for offer in offers {
        *resources.entry(offer.to_string()).or_insert(0) += i64::from(offer.replicas);
    }
    resources
}

/// The key under which the target's configuration is published, for a node whose label now says `current`: never the
/// same. Fits a label's value and a key of a `ConfigMap`.
pub fn key(target: &Target, current: Option<&str>) -> String {
    let [first, second] = keys(target);
    if current == Some(first.as_str()) {
        second
    } else {
        first
    }
}

/// Whether a key names the target's configuration.
pub fn holds(target: &Target, key: &str) -> bool {
    keys(target).iter().any(|known| known == key)
}

/// Both keys of the target's configuration.
pub(crate) fn keys(target: &Target) -> [String; 2] {
    let strategy = guarantees::strategy(target);
    let mut hash = String::new();
    for byte in &Sha256::digest(render(target))[..4] {
        // Writing to a String cannot fail.
        let _ = write!(hash, "{byte:02x}");
    }
    ["a", "b"].map(|variant| format!("{strategy}-{hash}-{variant}"))
}

/// How often each shared resource is handed out, by the name that it has before it is shared.
fn replicas(target: &Target) -> BTreeMap<String, i32> {
    let offers = target.gpus.iter().flat_map(|gpu| offers(target, gpu));
    let shared = offers.filter(|offer| offer.replicas > 1);
    shared.map(|offer| (offer.base(), offer.replicas)).collect()
}

fn offers<'a>(target: &Target, gpu: &'a GpuTarget) -> Vec<Offer<'a>> {
    if gpu.mig.enabled {
        let slices = gpu.mig.instances.iter();
        slices
            .map(|slice| Offer::of(target, gpu, Some(&slice.profile)))
            .collect()
    } else {
        vec![Offer::of(target, gpu, None)]
    }
}

fn devices(gpu: &GpuStatus, strategy: MigStrategy) -> Vec<String> {
    let slices = gpu.instances.iter().filter(|slice| slice.uuid.is_some());
    match (gpu.mig.current, strategy) {
        (MigMode::Enabled, MigStrategy::Mixed) => {
            slices.map(|it| profile::resource(&it.profile)).collect()
        }
        (MigMode::Enabled, MigStrategy::Single) => slices.map(|_| GPU.to_owned()).collect(),
        (MigMode::Enabled, MigStrategy::None) | (MigMode::Disabled | MigMode::NotSupported, _) => {
            vec![GPU.to_owned()]
        }
    }
}

fn shared(name: String, rules: ReplicaRules) -> String {
    if rules.rename {
        format!("{name}{SHARED}")
    } else {
        name
    }
}

/// `flags.migStrategy` of the configuration.
pub(crate) fn mig_strategy(target: &Target) -> &'static str {
    match strategy(target) {
        MigStrategy::None => "none",
        MigStrategy::Single => "single",
        MigStrategy::Mixed => "mixed",
    }
}

/// Without slices there is nothing to call in one way or the other.
fn strategy(target: &Target) -> MigStrategy {
    let is_cut = target.gpus.iter().any(|gpu| gpu.mig.enabled);
    match target.advertise {
        Advertise::Mixed | Advertise::Single if !is_cut => MigStrategy::None,
        Advertise::Mixed => MigStrategy::Mixed,
        Advertise::Single => MigStrategy::Single,
    }
}

/// How the plugin makes resources of MIG devices.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
enum MigStrategy {
    None,
    Single,
    Mixed,
}

#[derive(Serialize)]
struct Config {
    version: &'static str,
    flags: Flags,
    #[serde(skip_serializing_if = "Option::is_none")]
    sharing: Option<Sharing>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Flags {
    mig_strategy: MigStrategy,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Sharing {
    TimeSlicing(Replicated),
    Mps(Replicated),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Replicated {
    rename_by_default: bool,
    fail_requests_greater_than_one: bool,
    resources: Vec<Resource>,
}

#[derive(Serialize)]
struct Resource {
    name: String,
    replicas: i32,
}
