//! What each GPU model offers: one file per product, plain constants.
//!
//! Sources: what `nvidia-smi mig -lgip` and `-lgipp` print on real GPUs, where that is public (memory,
//! multiprocessors, ids, placements, engines); else the tables of go-nvml's mock GPUs; NVIDIA's MIG user guide and
//! `nvml.h` (enum numbers, rules of the media engines). Each file says what is derived. To add a product, add a file here
//! and its constant to [`ALL`]; the table tests check the rest.
//!
//! For planning without a driver and for the simulated one. On a node the agent reads all of this from NVML.

mod a100_sxm4_40gb;
mod a100_sxm4_80gb;
mod a30;
mod b200_180gb;
mod compute;
mod eight_slices;
mod four_slices;
mod h100_96gb;
mod h100_nvl;
mod h100_sxm5_80gb;
mod h200_sxm_141gb;
mod l4;
#[cfg(feature = "offers")]
mod offers;
mod rtx_pro_6000;
mod t4;
mod v100_sxm2_32gb;

pub use compute::{ComputeProfile, compute_profiles};

/// Every product that is known: those with MIG, by generation, then those without.
pub const ALL: &[&Product] = &[
    &a30::PRODUCT,
    &a100_sxm4_40gb::PRODUCT,
    &a100_sxm4_80gb::PRODUCT,
    &h100_sxm5_80gb::PRODUCT,
    &h100_nvl::PRODUCT,
    &h100_96gb::PRODUCT,
    &h200_sxm_141gb::PRODUCT,
    &b200_180gb::PRODUCT,
    &rtx_pro_6000::PRODUCT,
    &v100_sxm2_32gb::PRODUCT,
    &t4::PRODUCT,
    &l4::PRODUCT,
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
    /// V100.
    Volta,
    /// T4.
    Turing,
    /// A30, A100.
    Ampere,
    /// L4.
    Ada,
    /// H100, H200.
    Hopper,
    /// B200, RTX PRO 6000.
    Blackwell,
}

impl Architecture {
    /// The number of `nvmlDeviceArchitecture_t`.
    pub const fn number(self) -> u32 {
        match self {
            Self::Volta => 5,
            Self::Turing => 6,
            Self::Ampere => 7,
            Self::Ada => 8,
            Self::Hopper => 9,
            Self::Blackwell => 10,
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
    /// Name, such as `3g.20gb`, `1g.5gb+me` or `1g.24gb-me`.
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
    /// Streaming multiprocessors that one of its compute slices stands for where it is divided. All of them together may
    /// be fewer than [`Self::multiprocessors`].
    pub multiprocessors_of_a_slice: u32,
    /// Fixed-function engines.
    pub engines: Engines,
}

/// Fixed-function engines of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Engines {
    /// Copy engines.
    pub copy: u32,
    /// Video decoders.
    pub decoder: u32,
    /// Video encoders.
    pub encoder: u32,
    /// JPEG decoders.
    pub jpeg: u32,
    /// Optical flow accelerators.
    pub ofa: u32,
}

impl Engines {
    /// Engines of the kinds that instances do not share, in the order decoders, encoders, JPEG decoders, optical flow
    /// accelerators. Where one kind is used up, no other instance that needs it fits: this is why there is one `+me`, and
    /// why a `+me.all` leaves room for `-me` only.
    pub const fn media(self) -> [u32; 4] {
        [self.decoder, self.encoder, self.jpeg, self.ofa]
    }
}

impl Mig {
    /// Media engines of the whole GPU: those of the profile that takes all of it.
    pub fn media(&self) -> [u32; 4] {
        let whole = self
            .profiles
            .iter()
            .find(|profile| profile.compute_slices == self.compute_slices);
        whole.map_or([0; 4], |profile| profile.engines.media())
    }

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
