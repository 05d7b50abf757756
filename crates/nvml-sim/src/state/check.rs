//! What must hold of every state, whoever wrote the file.

use super::{Gpu, GpuInstance, MAX_GPUS, Process, State, VERSION};
use products::compute_profiles;

impl State {
    /// Checks what the rules rely on.
    ///
    /// # Errors
    /// A sentence about the first thing that is wrong, with its place.
    pub fn check(&self) -> Result<(), String> {
        if self.version != VERSION {
            return Err(format!(
                "version is {}, this program writes {VERSION}",
                self.version
            ));
        }
        if self.gpus.len() > MAX_GPUS {
            return Err(format!(
                "{} GPUs, at most {MAX_GPUS} can be simulated",
                self.gpus.len()
            ));
        }
        for (index, gpu) in self.gpus.iter().enumerate() {
            gpu.check()
                .map_err(|wrong| format!("gpus[{index}]: {wrong}"))?;
        }
        Ok(())
    }
}

impl Gpu {
    fn check(&self) -> Result<(), String> {
        let product = self
            .product()
            .ok_or_else(|| format!("product {:?} is not known", self.product))?;
        match (&product.mig, self.mig_mode) {
            (None, None) | (Some(_), Some(_)) => {}
            (None, Some(_)) => return Err(format!("migMode is set, a {} has none", product.key)),
            (Some(_), None) => return Err(format!("migMode is missing on a {}", product.key)),
        }
        if !self.instances.is_empty() && !self.mig_enabled() {
            return Err("has instances, but MIG mode is off".to_owned());
        }
        self.instances
            .iter()
            .try_for_each(|gi| self.check_instance(gi))?;
        self.check_slices()?;
        self.check_mig_indices()?;
        self.processes
            .iter()
            .try_for_each(|process| self.check_process(process))
    }

    fn check_instance(&self, gi: &GpuInstance) -> Result<(), String> {
        let profile = self
            .profile(gi.profile_id)
            .ok_or_else(|| format!("instance {}: no profile {}", gi.id, gi.profile_id))?;
        if !profile.starts.contains(&gi.start) {
            return Err(format!(
                "instance {}: {} cannot start at {}",
                gi.id, profile.name, gi.start
            ));
        }
        let mut used = 0_u32;
        for ci in &gi.compute {
            let inner = compute_profiles(profile)
                .iter()
                .find(|inner| inner.id == ci.profile_id && inner.starts.contains(&ci.start))
                .ok_or_else(|| {
                    format!("compute instance {} does not fit its GPU instance", ci.id)
                })?;
            claim(&mut used, ci.start, inner.slices)
                .ok_or_else(|| format!("compute instance {} overlaps another", ci.id))?;
        }
        Ok(())
    }

    fn check_slices(&self) -> Result<(), String> {
        let (mut memory, mut compute) = (0_u32, 0);
        for (position, gi) in self.instances.iter().enumerate() {
            let Some(profile) = self.profile(gi.profile_id) else {
                continue;
            };
            claim(&mut memory, gi.start, profile.memory_slices)
                .ok_or_else(|| format!("instance {} overlaps another", gi.id))?;
            compute += profile.compute_slices;
            if self.instances[..position]
                .iter()
                .any(|other| other.id == gi.id)
            {
                return Err(format!("instance id {} is there twice", gi.id));
            }
        }
        let most = self
            .product()
            .and_then(|p| p.mig.as_ref())
            .map_or(0, |mig| mig.compute_slices);
        if compute > most {
            return Err(format!("instances use {compute} compute slices of {most}"));
        }
        Ok(())
    }

    fn check_mig_indices(&self) -> Result<(), String> {
        let mut used = 0_u32;
        for (_, ci) in self.compute_instances() {
            claim(&mut used, ci.mig_index, 1)
                .ok_or_else(|| format!("MIG index {} is there twice", ci.mig_index))?;
        }
        Ok(())
    }

    fn check_process(&self, process: &Process) -> Result<(), String> {
        let Some(uuid) = &process.mig_uuid else {
            return Ok(());
        };
        if self.compute_instances().any(|(_, ci)| &ci.uuid == uuid) {
            return Ok(());
        }
        Err(format!(
            "process {} runs on MIG device {uuid}, which does not exist",
            process.pid
        ))
    }
}

/// Marks `size` slices from `start` as used; `None` if one of them was, or is out of range.
fn claim(used: &mut u32, start: u32, size: u32) -> Option<()> {
    let end = start.checked_add(size).filter(|end| *end < u32::BITS)?;
    let mask = (1 << end) - (1 << start);
    if *used & mask != 0 {
        return None;
    }
    *used |= mask;
    Some(())
}
