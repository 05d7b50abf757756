//! Ways in which a driver differs from the header that its clients were built with.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Deviations of the node's driver; none by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Quirks {
    /// Profiles are listed only while MIG mode is on, as by drivers up to about R535.
    pub hides_profiles: bool,
    /// Profiles that are listed under another number of NVML's enum, by their own: a driver that is newer than the header
    /// lists numbers that no client knows.
    pub renumbered: BTreeMap<u32, u32>,
    /// Numbers of NVML's enum of profiles that answer a code instead of a profile.
    pub failing: BTreeMap<u32, u32>,
    /// What a compute instance tells as its device is the MIG device, and not the GPU as NVML documents it.
    pub names_mig_devices: bool,
}

impl Quirks {
    /// There are none.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}
