//! Which devices the plugin finds, and under which resource names: read once, when it starts.
//!
//! By NVIDIA's `internal/rm` (`rm.go`, `device_map.go`): `mixed` names a MIG device after its profile,
//! with every `+` replaced by `.`; a GPU in MIG mode is hidden as a whole unless the strategy is `none`.

use std::collections::BTreeMap;

use nvml_sim::state::{ComputeInstance, Gpu, GpuInstance, State};
use products::{Engines, compute_profiles};

use super::config::{MigStrategy, PluginConfig};

/// The resource of whole GPUs.
pub const GPU: &str = "nvidia.com/gpu";

/// One device as it is offered to the kubelet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// `<uuid>`, or `<uuid>::<n>` for the n-th replica.
    pub id: String,
    /// Index of the GPU that it is on.
    pub gpu: usize,
}

impl Device {
    /// The UUID of the GPU or MIG device behind it.
    pub fn uuid(&self) -> &str {
        self.id.split_once("::").map_or(&self.id, |(uuid, _)| uuid)
    }
}

/// Devices by resource name.
pub type Devices = BTreeMap<String, Vec<Device>>;

/// Reads the node's devices.
///
/// # Errors
/// What the plugin would print before it exits.
pub fn discover(state: &State, config: &PluginConfig) -> Result<Devices, String> {
    // The plugin refuses it for MIG devices (internal/plugin/mps.go: 46), the feature discovery for GPUs in MIG mode
    // (internal/lm/nvml.go: 176).
    if config.mps && state.gpus.iter().any(Gpu::mig_enabled) {
        return Err("sharing using MPS is not supported for MIG devices".to_owned());
    }
    let found = match config.mig {
        MigStrategy::None => state.gpus.iter().enumerate().map(whole).collect(),
        MigStrategy::Single => single(state)?,
        MigStrategy::Mixed => mixed(state)?,
    };
    let mut devices = Devices::new();
    for (resource, device) in found {
        let (replicas, name) = config.shared(&resource);
        let of_this = devices.entry(name).or_default();
        match replicas {
            1 => of_this.push(device),
            _ => of_this.extend((0..replicas).map(|n| Device {
                id: format!("{}::{n}", device.id),
                gpu: device.gpu,
            })),
        }
    }
    Ok(devices)
}

/// Before sharing.
type Named = Vec<(String, Device)>;

fn whole((index, gpu): (usize, &Gpu)) -> (String, Device) {
    let id = gpu.uuid.clone();
    (GPU.to_owned(), Device { id, gpu: index })
}

/// All GPUs must be in the same mode, none without MIG devices, and those all alike
/// (`device_map.go`: 157).
fn single(state: &State) -> Result<Named, String> {
    let gpus = || state.gpus.iter().enumerate();
    if !state.gpus.iter().any(Gpu::mig_enabled) {
        return Ok(gpus().map(whole).collect());
    }
    if !state.gpus.iter().all(Gpu::mig_enabled) {
        let wrong = "all devices on the node must be configured with the same migEnabled value";
        return Err(wrong.to_owned());
    }
    if let Some((index, _)) = gpus().find(|(_, gpu)| gpu.compute_instances().next().is_none()) {
        return Err(format!("device {index} has no MIG devices configured"));
    }
    let of = |gpu| Gpu::compute_instances(gpu).map(move |device| attributes(gpu, device));
    let mut kinds = state.gpus.iter().flat_map(of);
    let first = kinds.next();
    if kinds.any(|kind| Some(kind) != first) {
        return Err("more than one MIG device type present on node".to_owned());
    }
    let named = |(index, uuid): (usize, &str)| (GPU.to_owned(), mig_device(index, uuid));
    Ok(gpus()
        .flat_map(|(index, gpu)| {
            gpu.compute_instances()
                .map(move |(_, ci)| (index, ci.uuid.as_str()))
        })
        .map(named)
        .collect())
}

/// What a MIG device has of its GPU: like devices have the same of everything. The ids of profiles mean other slices on
/// other products, and the same name does too.
fn attributes<'a>(
    gpu: &'a Gpu,
    (gi, ci): (&GpuInstance, &ComputeInstance),
) -> Option<(&'a str, u64, Engines, u32)> {
    let profile = gpu.profile(gi.profile_id)?;
    let part = compute_profiles(profile)
        .iter()
        .find(|part| part.id == ci.profile_id)?;
    let (memory, engines) = (profile.memory_mib, profile.engines);
    Some((profile.name, memory, engines, part.multiprocessors(profile)))
}

fn mixed(state: &State) -> Result<Named, String> {
    let mut found = Named::new();
    for (index, gpu) in state.gpus.iter().enumerate() {
        if !gpu.mig_enabled() {
            found.push(whole((index, gpu)));
            continue;
        }
        for (gi, ci) in gpu.compute_instances() {
            found.push((mig_resource(gpu, gi, ci)?, mig_device(index, &ci.uuid)));
        }
    }
    Ok(found)
}

/// Only a MIG device that fills its GPU instance matches a pattern (`rm.go`: 110).
fn mig_resource(gpu: &Gpu, gi: &GpuInstance, ci: &ComputeInstance) -> Result<String, String> {
    let unknown = || format!("MIG device {} has an unknown profile", ci.uuid);
    let profile = gpu.profile(gi.profile_id).ok_or_else(unknown)?;
    let offered = compute_profiles(profile);
    if offered
        .last()
        .is_some_and(|whole| whole.id == ci.profile_id)
    {
        return Ok(format!("nvidia.com/mig-{}", profile.name.replace('+', ".")));
    }
    let part = offered.iter().find(|part| part.id == ci.profile_id);
    let name = part.ok_or_else(unknown)?.name(profile);
    Err(format!(
        "MIG profile '{name}' does not match any resource patterns"
    ))
}

fn mig_device(gpu: usize, uuid: &str) -> Device {
    let id = uuid.to_owned();
    Device { id, gpu }
}

#[cfg(test)]
mod tests;
