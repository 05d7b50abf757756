//! The GPUs of a node as a person sees them: names instead of ids.

use serde::Serialize;

use crate::state::{ComputeMode, Gpu, GpuInstance, MigMode, Process};

/// One GPU as a person sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GpuView {
    /// NVML index.
    pub index: usize,
    /// `GPU-...`
    pub uuid: String,
    /// Product key, such as `A100-SXM4-40GB`.
    pub product: String,
    /// Memory slices that placements count; 0 without MIG.
    pub memory_slices: u32,
    /// Fell off the bus.
    pub lost: bool,
    /// Unset without MIG.
    pub mig_mode: Option<MigMode>,
    /// Who may run.
    pub compute_mode: ComputeMode,
    /// GPU instances by start.
    pub instances: Vec<InstanceView>,
    /// Processes on the GPU and on its MIG devices.
    pub processes: Vec<Process>,
}

/// One GPU instance as a person sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceView {
    /// Id of the GPU instance.
    pub id: u32,
    /// Profile name, such as `3g.20gb`.
    pub profile: String,
    /// First memory slice.
    pub start: u32,
    /// Memory slices.
    pub size: u32,
    /// UUIDs of its MIG devices; none while it has no compute instance.
    pub mig_uuids: Vec<String>,
}

impl GpuView {
    pub(super) fn of(index: usize, gpu: &Gpu) -> Self {
        let mut instances: Vec<_> = gpu
            .instances
            .iter()
            .map(|gi| InstanceView::of(gpu, gi))
            .collect();
        instances.sort_by_key(|instance| instance.start);
        let mig = gpu.product().and_then(|product| product.mig.as_ref());
        Self {
            index,
            uuid: gpu.uuid.clone(),
            product: gpu.product.clone(),
            memory_slices: mig.map_or(0, |mig| mig.memory_slices),
            lost: gpu.lost,
            mig_mode: gpu.mig_mode,
            compute_mode: gpu.compute_mode,
            instances,
            processes: gpu.processes.clone(),
        }
    }
}

impl InstanceView {
    fn of(gpu: &Gpu, gi: &GpuInstance) -> Self {
        let profile = gpu.profile(gi.profile_id);
        Self {
            id: gi.id,
            profile: profile.map_or("?", |profile| profile.name).to_owned(),
            start: gi.start,
            size: profile.map_or(0, |profile| profile.memory_slices),
            mig_uuids: gi.compute.iter().map(|ci| ci.uuid.clone()).collect(),
        }
    }
}
