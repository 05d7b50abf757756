//! What GPU instances a GPU offers, and where.

use crds::gpu_node::{Placement, ProfileOffer};
use nvml_wrapper::Device;

use super::call::{Answer, Failure, enumerate, if_supported, wrapped};
use super::counts::most;
use super::integer;
use super::raw::{self, Profile};
use crate::Code;
use crate::profile_name::{self, Figures};

/// The profiles in NVML's order. Drivers up to about R535 list none while MIG mode is off.
pub fn offers(device: &Device<'_>) -> Answer<Vec<ProfileOffer>> {
    let pci = wrapped("nvmlDeviceGetPciInfo_v3", device.pci_info())?;
    let gpu_bytes = wrapped("nvmlDeviceGetMemoryInfo_v2", device.memory_info())?.total;
    let listed = enumerate(|index| {
        let profile = described(device, index).map_err(|failure| weighed(index, failure))?;
        Ok((index, profile))
    })?;
    let mut offers = Vec::new();
    for (index, profile) in listed {
        let Some(name) = name(index, &profile, gpu_bytes) else {
            continue;
        };
        // Without places it is not offered; but an instance of it may stand there, and must be seen.
        let places = if_supported(raw::placements(device, profile.id))?.unwrap_or_default();
        offers.push(ProfileOffer {
            max: integer(most(pci.pci_device_id, &name, profile.max)),
            name,
            id: integer(profile.id),
            slices: integer(profile.slices),
            memory_mib: i64::try_from(profile.memory_mib).unwrap_or(i64::MAX),
            placements: places.into_iter().map(place).collect(),
        });
    }
    Ok(offers)
}

/// Drivers before R510 have only the call without a name.
fn described(device: &Device<'_>, index: u32) -> Answer<Profile> {
    match raw::profile(device, index) {
        Err(Failure {
            code: Code::FUNCTION_NOT_FOUND | Code::ARGUMENT_VERSION_MISMATCH,
            ..
        }) => raw::profile_without_name(device, index),
        answer => answer,
    }
}

/// What a failure at one number of NVML's enum means for the list of all.
///
/// Numbers that NVML's header knows must be read: a list without one of them would be taken for all that the GPU offers.
/// Of them an `INVALID_ARGUMENT` is a hole, as NVIDIA's own clients take it (go-nvlib, `VisitMigProfiles`). Behind them are
/// the numbers of newer drivers, which may be left out, and the end.
fn weighed(index: u32, failure: Failure) -> Failure {
    let known = index < profile_name::NUMBERS;
    let absent = match failure.code {
        Code::GPU_IS_LOST => false,
        Code::INVALID_ARGUMENT => known,
        _ => !known,
    };
    let code = if absent {
        Code::NOT_SUPPORTED
    } else {
        failure.code
    };
    Failure { code, ..failure }
}

/// The driver's name, else the computed one. None for a profile that nobody can name: nobody can ask for it either.
fn name(index: u32, profile: &Profile, gpu_bytes: u64) -> Option<String> {
    profile_name::given(&profile.name).or_else(|| {
        profile_name::computed(Figures {
            index,
            slices: profile.slices,
            memory_mib: profile.memory_mib,
            gpu_bytes,
        })
    })
}

fn place((start, size): (u32, u32)) -> Placement {
    Placement {
        start: integer(start),
        size: integer(size),
    }
}

#[cfg(test)]
mod tests {
    use super::{Failure, weighed};
    use crate::Code;

    #[test]
    fn only_numbers_that_the_header_does_not_know_may_fail() {
        const UNKNOWN: Code = Code(999);
        let cases = [
            (5, UNKNOWN, UNKNOWN),
            (5, Code::NO_PERMISSION, Code::NO_PERMISSION),
            (5, Code::INVALID_ARGUMENT, Code::NOT_SUPPORTED),
            (17, Code::INVALID_ARGUMENT, Code::NOT_SUPPORTED),
            (18, Code::INVALID_ARGUMENT, Code::INVALID_ARGUMENT),
            (18, UNKNOWN, Code::NOT_SUPPORTED),
            (18, Code::NO_PERMISSION, Code::NOT_SUPPORTED),
            (18, Code::GPU_IS_LOST, Code::GPU_IS_LOST),
        ];
        let call = "nvmlTest";
        for (index, code, taken_for) in cases {
            let weighed = weighed(index, Failure { call, code });
            assert_eq!(weighed.code, taken_for, "{code} at {index}");
        }
    }
}
