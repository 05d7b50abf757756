//! Instances of ours: how far each is made, and how it is known again.

use crds::gpu_node::{GpuStatus, MigInstance, PlacedProfile};
use serde::{Deserialize, Serialize};

/// An instance that this agent made, adopted, or is about to make or to empty.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Made {
    /// UUID of the GPU.
    pub gpu: String,
    /// Profile and place.
    pub at: PlacedProfile,
    /// The boot in which it was made. No instance outlives its boot, so after a reboot whatever stands there is another.
    pub boot_id: String,
    /// How far it is.
    pub making: Making,
}

/// How far an instance is made.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum Making {
    /// The GPU instance is about to be made, or to be emptied. With a compute instance in it, it is somebody else's.
    Empty,
    /// The compute instance is about to be made.
    Filling,
    /// It is this MIG device.
    Device(String),
}

impl Made {
    /// Whether this is the instance, on the GPU with this UUID, in this boot.
    pub fn is(&self, boot_id: &str, gpu: &str, instance: &MigInstance) -> bool {
        self.boot_id == boot_id
            && self.stands_at(gpu, &instance.profile, instance.start)
            && self.making.matches(instance)
    }

    /// Learns from a look how far it is. False: it is not to be seen.
    pub fn learn(&mut self, boot_id: &str, gpus: &[GpuStatus]) -> bool {
        let gpu = gpus.iter().find(|gpu| gpu.uuid == self.gpu);
        let mut instances = gpu.into_iter().flat_map(|gpu| &gpu.instances);
        let Some(instance) = instances.find(|it| self.is(boot_id, &self.gpu, it)) else {
            return false;
        };
        if let Some(device) = &instance.uuid {
            self.making = Making::Device(device.clone());
        }
        true
    }

    /// Whether it has been a device.
    pub const fn is_device(&self) -> bool {
        match self.making {
            Making::Device(_) => true,
            Making::Empty | Making::Filling => false,
        }
    }

    /// Whether it stands, or is to stand, at this place.
    pub fn stands_at(&self, gpu: &str, profile: &str, start: i32) -> bool {
        self.gpu == gpu && self.at.profile == profile && self.at.start == start
    }
}

impl Making {
    fn matches(&self, instance: &MigInstance) -> bool {
        match (self, &instance.uuid) {
            (Self::Empty, _) => instance.devices().next().is_none(),
            (Self::Device(ours), Some(found)) => ours == found,
            (Self::Filling, _) | (Self::Device(_), None) => true,
        }
    }
}
