//! What NVIDIA's device plugin is told, and what the node must advertise then.
//!
//! The plugin (k8s-device-plugin v0.20) reads a configuration of version v1 per node, chosen by a node label that names
//! a key of a `ConfigMap`. It notices a change of that label and nothing else: not a changed entry, not new devices. So
//! a key names its content by a hash, and each content has two keys, so that every operation can change the label.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crds::gpu_node::{GpuStatus, GpuTarget, MigMode, ReplicaRules, Target};
use crds::names::RESOURCE_PREFIX;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{guarantees, profile};

/// The configuration for a node whose GPUs are as the target says, as YAML: the same text for the same target.
pub fn render(target: &Target) -> String {
    let replicas = replicas(target);
    let sharing = (!replicas.is_empty()).then(|| Sharing {
        time_slicing: Replicated {
            rename_by_default: target.replicas.rename,
            fail_requests_greater_than_one: target.replicas.fail_requests_greater_than_one,
            resources: replicas
                .into_iter()
                .map(|(name, replicas)| Resource { name, replicas })
                .collect(),
        },
    });
    let config = Config {
        version: "v1",
        flags: Flags {
            mig_strategy: if is_mixed(target) { "mixed" } else { "none" },
        },
        sharing,
    };
    // Structs of texts and numbers: nothing in them can fail to be written.
    serde_saphyr::to_string(&config).unwrap_or_default()
}

/// What the node must be able to allocate with these GPUs and the target's configuration. Any other resource of NVIDIA's
/// (`nvidia.com/gpu…`, `nvidia.com/mig-…`) must be 0 or absent.
///
/// With `mixed` a GPU in MIG mode counts by its whole MIG devices only; with `none` every GPU counts as one
/// (k8s-device-plugin, `internal/rm/device_map.go`).
pub fn advertised(gpus: &[GpuStatus], target: &Target) -> BTreeMap<String, i64> {
    let (mixed, replicas) = (is_mixed(target), replicas(target));
    let mut resources = BTreeMap::new();
    let devices = gpus.iter().flat_map(|gpu| devices(gpu, mixed));
    for device in devices {
        let (name, number) = match replicas.get(&device) {
            Some(number) => (shared(device, target.replicas), i64::from(*number)),
            None => (device, 1),
        };
        *resources.entry(name).or_insert(0) += number;
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

fn keys(target: &Target) -> [String; 2] {
    let strategy = guarantees::strategy(target);
    let mut hash = String::new();
    for byte in &Sha256::digest(render(target))[..4] {
        // Writing to a String cannot fail.
        let _ = write!(hash, "{byte:02x}");
    }
    ["a", "b"].map(|variant| format!("{strategy}-{hash}-{variant}"))
}

/// How often each shared resource is handed out.
fn replicas(target: &Target) -> BTreeMap<String, i32> {
    let shared = target.gpus.iter().filter(|gpu| gpu.sharing.replicas > 1);
    shared
        .flat_map(|gpu| {
            resources(gpu)
                .into_iter()
                .map(|name| (name, gpu.sharing.replicas))
        })
        .collect()
}

fn resources(gpu: &GpuTarget) -> Vec<String> {
    if gpu.mig.enabled {
        let instances = gpu.mig.instances.iter();
        instances.map(|i| profile::resource(&i.profile)).collect()
    } else {
        vec![whole()]
    }
}

fn devices(gpu: &GpuStatus, mixed: bool) -> Vec<String> {
    match gpu.mig.current {
        MigMode::Enabled if mixed => {
            let whole = gpu.instances.iter().filter(|i| i.uuid.is_some());
            whole.map(|i| profile::resource(&i.profile)).collect()
        }
        MigMode::Enabled | MigMode::Disabled | MigMode::NotSupported => vec![whole()],
    }
}

fn shared(name: String, rules: ReplicaRules) -> String {
    if rules.rename {
        format!("{name}.shared")
    } else {
        name
    }
}

fn whole() -> String {
    format!("{RESOURCE_PREFIX}gpu")
}

fn is_mixed(target: &Target) -> bool {
    target.gpus.iter().any(|gpu| gpu.mig.enabled)
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
    mig_strategy: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sharing {
    time_slicing: Replicated,
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
