//! What each GPU model offers: one file per product, plain constants.
//!
//! Sources: the profile tables of go-nvml's mock GPUs (memory, multiprocessors, counts), NVIDIA's
//! MIG user guide (placements, engines) and `nvml.h` (enum numbers). Profile ids are those of real
//! drivers. To add a product, add a file here and its constant to [`ALL`].
//!
//! For planning without a driver and for the simulated one. On a node the agent reads all of this from NVML.

mod a100_sxm4_40gb;
mod compute;
mod eight_slices;
mod h100_sxm5_80gb;
#[cfg(feature = "offers")]
mod offers;
mod t4;

pub use compute::{ComputeProfile, compute_profiles};

/// Every product that can be simulated.
pub const ALL: &[&Product] = &[
    &a100_sxm4_40gb::PRODUCT,
    &h100_sxm5_80gb::PRODUCT,
    &t4::PRODUCT,
];

/// The product with this short name, such as `A100-SXM4-40GB`.
pub fn find(key: &str) -> Option<&'static Product> {
    ALL.iter().copied().find(|product| product.key == key)
}

/// A GPU model.
#[derive(Debug)]
pub struct Product {
    /// Short name on the command line and in the state file.
    pub key: &'static str,
    /// The name that NVML gives.
    pub name: &'static str,
    /// Generation of the chip.
    pub architecture: Architecture,
    /// CUDA compute capability, major and minor.
    pub compute_capability: (u32, u32),
    /// PCI device id in the upper half, vendor id in the lower.
    pub pci_device_id: u32,
    /// PCI subsystem id in the upper half, subsystem vendor in the lower.
    pub pci_subsystem_id: u32,
    /// Frame buffer in MiB, all of it.
    pub memory_mib: u64,
    /// MIG, if the product has it.
    pub mig: Option<Mig>,
}

/// Generation of the chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// T4.
    Turing,
    /// A100.
    Ampere,
    /// H100.
    Hopper,
}

impl Architecture {
    /// The number of `nvmlDeviceArchitecture_t`.
    pub const fn number(self) -> u32 {
        match self {
            Self::Turing => 6,
            Self::Ampere => 7,
            Self::Hopper => 9,
        }
    }
}

/// How a product with MIG behaves.
#[derive(Debug)]
pub struct Mig {
    /// How a change of the mode takes effect.
    pub mode_change: ModeChange,
    /// Compute slices of the whole GPU.
    pub compute_slices: u32,
    /// Memory slices of the whole GPU: the unit of placements.
    pub memory_slices: u32,
    /// GPU instance profiles on offer, by rising [`Profile::index`].
    pub profiles: &'static [Profile],
}

/// How a change of MIG mode takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModeChange {
    /// The GPU is reset; on a busy GPU the mode stays pending until a reset. The mode is kept in
    /// the `InfoROM`, so it outlives a reboot (Ampere).
    ByReset,
    /// At once, without a reset; a busy GPU refuses. The mode lives in the driver and is off after
    /// a reboot (Hopper and newer).
    AtOnce,
}

/// A GPU instance profile.
#[derive(Debug)]
pub struct Profile {
    /// Number in NVML's enum, by which profiles are asked for.
    pub index: u32,
    /// The id by which instances are created and listed: not the index.
    pub id: u32,
    /// Name, such as `3g.20gb` or `1g.5gb+me`.
    pub name: &'static str,
    /// Compute slices (the G of the name).
    pub compute_slices: u32,
    /// Memory slices that a placement covers.
    pub memory_slices: u32,
    /// Memory slices at which an instance may start.
    pub starts: &'static [u32],
    /// Most instances of this profile on one GPU.
    pub max_instances: u32,
    /// Memory of an instance in MiB.
    pub memory_mib: u64,
    /// Streaming multiprocessors.
    pub multiprocessors: u32,
    /// Fixed-function engines.
    pub engines: Engines,
}

/// Fixed-function engines of an instance.
#[derive(Clone, Copy, Debug)]
pub struct Engines {
    /// Copy engines.
    pub copy: u32,
    /// Video decoders.
    pub decoder: u32,
    /// JPEG decoders.
    pub jpeg: u32,
    /// Optical flow accelerators.
    pub ofa: u32,
}

impl Mig {
    /// The profile with this id.
    pub fn by_id(&self, id: u32) -> Option<&'static Profile> {
        self.profiles.iter().find(|profile| profile.id == id)
    }

    /// The profile with this name, with or without the `MIG ` that NVML puts before it.
    pub fn by_name(&self, name: &str) -> Option<&'static Profile> {
        let name = name.strip_prefix("MIG ").unwrap_or(name);
        self.profiles.iter().find(|profile| profile.name == name)
    }
}

#[cfg(test)]
mod tests;
