//! The GPU instances that exist, and the compute instances in them.

use std::collections::BTreeMap;

use crds::gpu_node::{MigInstance, ProfileOffer};
use nvml_wrapper::Device;

use super::call::{Answer, enumerate, wrapped};
use super::raw::{self, ComputeInstance, ComputeProfile, GpuInstance};
use super::{id, integer, mig_device};

/// A GPU instance.
pub struct Instance<'nvml> {
    pub handle: GpuInstance<'nvml>,
    /// NVML's number for it on its GPU.
    pub id: u32,
    pub profile: ProfileOffer,
    pub start: i32,
    pub size: i32,
}

/// A compute instance: what pods see as a MIG device.
pub struct Compute<'nvml> {
    pub handle: ComputeInstance<'nvml>,
    pub device: Device<'nvml>,
    /// NVML's number of the GPU instance on its GPU, and its own in there.
    pub ids: (u32, u32),
    pub uuid: String,
    pub slices: i32,
}

/// Every GPU instance, by start.
///
/// # Errors
/// `NOT_SUPPORTED` while MIG mode is off.
pub fn all<'nvml>(device: &Device<'nvml>, offers: &[ProfileOffer]) -> Answer<Vec<Instance<'nvml>>> {
    let mut found = Vec::new();
    for offer in offers {
        found.extend(of_profile(device, offer)?);
    }
    found.sort_by_key(|instance| (instance.start, instance.id));
    Ok(found)
}

/// The GPU instances of one profile.
pub fn of_profile<'nvml>(
    device: &Device<'nvml>,
    offer: &ProfileOffer,
) -> Answer<Vec<Instance<'nvml>>> {
    let instance = |handle: GpuInstance<'nvml>| {
        let info = handle.info()?;
        Ok(Instance {
            handle,
            id: info.id,
            profile: offer.clone(),
            start: integer(info.start),
            size: integer(info.size),
        })
    };
    let handles = raw::gpu_instances(device, id(offer))?;
    handles.into_iter().map(instance).collect()
}

impl<'nvml> Instance<'nvml> {
    /// The compute instances in it, by NVML's number.
    pub fn computes(&self) -> Answer<Vec<Compute<'nvml>>> {
        // Two profiles of NVML's enum may have one id, and so list the same instances.
        let mut found = BTreeMap::new();
        for profile in self.compute_profiles()? {
            for handle in self.handle.compute_instances(profile.id)? {
                let compute = self.compute(handle, profile)?;
                found.insert(compute.ids, compute);
            }
        }
        Ok(found.into_values().collect())
    }

    /// Creates the compute instance that fills it; its MIG UUID. None if the driver has no such profile.
    ///
    /// Of several with all its slices it is the one with the most multiprocessors: a 1g with double memory of a Hopper GPU
    /// has more of them than its one slice stands for, and can be filled with or without them.
    pub fn fill(&self) -> Answer<Option<String>> {
        let profiles = self.compute_profiles()?.into_iter();
        let whole = profiles
            .filter(|profile| self.is_filled_by(integer(profile.slices)))
            .max_by_key(|profile| profile.multiprocessors);
        let Some(whole) = whole else {
            return Ok(None);
        };
        let created = self.handle.create_compute_instance(whole.id)?;
        Ok(Some(self.compute(created, whole)?.uuid))
    }

    /// As the agent reports it. It has a UUID only if exactly one compute instance fills it; else those that are in it
    /// are its parts.
    pub fn status(&self, computes: &[Compute<'_>]) -> MigInstance {
        let (uuid, parts) = match computes {
            [whole] if self.is_filled_by(whole.slices) => (Some(whole.uuid.clone()), Vec::new()),
            several => (None, several.iter().map(|it| it.uuid.clone()).collect()),
        };
        MigInstance {
            profile: self.profile.name.clone(),
            start: self.start,
            size: self.size,
            uuid,
            parts,
            owned: false,
        }
    }

    fn is_filled_by(&self, slices: i32) -> bool {
        slices == self.profile.slices
    }

    fn compute_profiles(&self) -> Answer<Vec<ComputeProfile>> {
        enumerate(|index| self.handle.compute_profile(index))
    }

    fn compute(
        &self,
        handle: ComputeInstance<'nvml>,
        profile: ComputeProfile,
    ) -> Answer<Compute<'nvml>> {
        let info = handle.info()?;
        let ids = (self.id, info.id);
        let device = mig_device::of(info.device, ids)?;
        Ok(Compute {
            handle,
            ids,
            uuid: wrapped("nvmlDeviceGetUUID", device.uuid())?,
            device,
            slices: integer(profile.slices),
        })
    }
}
