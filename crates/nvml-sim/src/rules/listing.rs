//! What the driver says of its profiles, which is not always what it does.

use super::mig;
use crate::Code;
use crate::state::{Gpu, Quirks};
use products::Profile;

/// The profile numbers that NVML 13 knows.
const KNOWN: u32 = 18;
/// PCI device and vendor of the A30.
const A30: u32 = 0x20B7_10DE;

/// The profile with this number in NVML's enum.
///
/// # Errors
/// `NOT_SUPPORTED` without MIG, and for a number that this product does not have; `INVALID_ARGUMENT` past the end; what a
/// quirk says.
pub fn profile_by_index(gpu: &Gpu, quirks: &Quirks, index: u32) -> Result<&'static Profile, Code> {
    let profiles = mig(gpu)?.profiles;
    if let Some(code) = quirks.failing.get(&index) {
        return Err(Code::from_number(*code).unwrap_or(Code::Unknown));
    }
    let number = |own: u32| quirks.renumbered.get(&own).copied().unwrap_or(own);
    let end = profiles.iter().map(|profile| number(profile.index) + 1);
    if index >= end.max().unwrap_or(0).max(KNOWN) {
        return Err(Code::InvalidArgument);
    }
    let hidden = quirks.hides_profiles && !gpu.mig_enabled();
    profiles
        .iter()
        .find(|profile| number(profile.index) == index && !hidden)
        .ok_or(Code::NotSupported)
}

/// The number of instances that the driver says fit on an empty GPU. It keeps to [`Profile::max_instances`] itself.
///
/// Of an A30 it says something else: NVIDIA's MIG Manager has the A30's counts built in, as NVML's are wrong (mig-parted,
/// `pkg/mig/discovery`). What NVML says there is not public. Here it counts the places of the profiles with media engines,
/// though there are engines for one.
pub fn said_count(gpu: &Gpu, profile: &Profile) -> u32 {
    let a30 = gpu
        .product()
        .is_some_and(|product| product.pci_device_id == A30);
    if a30 {
        u32::try_from(profile.starts.len()).unwrap_or(u32::MAX)
    } else {
        profile.max_instances
    }
}
