//! One look at the node: the driver's account of the GPUs, with who holds them and who made what.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crds::gpu_node::{GpuStatus, Holder, MigInstance};
use gpu::Inventory;

use crate::decide::Served;
use crate::journal::{NeedsReboot, Record};

/// What is seen of the MPS daemon.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sharing {
    /// The GPUs that it serves, or is about to serve again.
    pub serves: Vec<Served>,
    /// Its processes, as far as the driver shows them.
    pub ours: BTreeSet<i64>,
    /// Why MPS cannot be asked for, if so: a sentence.
    pub obstacle: Option<String>,
}

/// The node at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// The kernel's boot id.
    pub boot_id: String,
    /// The driver's version.
    pub driver_version: String,
    /// The GPUs with holders and owners. Where holders are not known they are those that were known last.
    pub gpus: Vec<GpuStatus>,
    /// Why it is not known who holds devices, if so.
    pub holders: Result<(), String>,
    /// Why MPS cannot be asked for, if so.
    pub mps: Result<(), String>,
    /// MIG modes that were tried during this boot, and that only a reboot brings.
    pub needs_reboot: Vec<NeedsReboot>,
}

impl Observation {
    /// What the driver shows, with what it cannot know.
    pub fn new(
        boot_id: String,
        inventory: Inventory,
        holders: &[Holder],
        unknown: Option<String>,
        record: Option<&Record>,
    ) -> Self {
        let mut gpus = inventory.gpus;
        for gpu in &mut gpus {
            for instance in &mut gpu.instances {
                let is_made =
                    record.is_some_and(|record| record.owns(&boot_id, &gpu.uuid, instance));
                // Somebody who divides an instance of ours has made it theirs.
                instance.owned = is_made && instance.parts.is_empty();
            }
        }
        give(&mut gpus, holders);
        let needs = record.into_iter().flat_map(|record| &record.needs_reboot);
        let of_this_boot = needs.filter(|need| need.boot_id == boot_id);
        Self {
            needs_reboot: of_this_boot.cloned().collect(),
            boot_id,
            driver_version: inventory.driver_version,
            gpus,
            holders: unknown.map_or(Ok(()), Err),
            mps: Ok(()),
        }
    }

    /// The same, with what is seen of the MPS daemon. Its own processes are not told: where it serves nobody, they are in
    /// nobody's way, as it goes first.
    #[must_use]
    pub fn shared(mut self, sharing: Sharing) -> Self {
        for gpu in &mut self.gpus {
            let mut all = sharing.serves.iter();
            let found = all.find(|served| served.gpu == gpu.uuid);
            gpu.mps = found.map(|served| served.sharing.clone());
            gpu.processes.retain(|it| !sharing.ours.contains(&it.pid));
        }
        self.mps = sharing.obstacle.map_or(Ok(()), Err);
        self
    }

    /// Whether MPS can be asked for.
    pub fn mps(&self) -> Result<(), &str> {
        self.mps.as_ref().copied().map_err(String::as_str)
    }

    /// Whether it is known who holds devices.
    pub fn holders(&self) -> Result<(), &str> {
        self.holders.as_ref().copied().map_err(String::as_str)
    }
}

/// Gives each GPU its holders. A device that the driver does not list is gone, and nobody can use it.
fn give(gpus: &mut [GpuStatus], holders: &[Holder]) {
    for gpu in gpus {
        let here = holders.iter().filter(|holder| is_on(gpu, &holder.device));
        gpu.holders = here.cloned().collect();
    }
}

fn is_on(gpu: &GpuStatus, device: &str) -> bool {
    let mut slices = gpu.instances.iter().flat_map(MigInstance::devices);
    gpu.uuid == device || slices.any(|slice| slice == device)
}

/// The boot id cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the boot id from {}; name the kernel's file with --boot-id-file", path.display())]
pub struct BootIdError {
    path: PathBuf,
    source: std::io::Error,
}

/// The kernel's boot id.
pub fn boot_id(path: &Path) -> Result<String, BootIdError> {
    let text = std::fs::read_to_string(path).map_err(|source| BootIdError {
        path: path.to_path_buf(),
        source,
    })?;
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests;
