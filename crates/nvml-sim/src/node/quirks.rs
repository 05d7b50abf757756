//! A driver that deviates from its header.

use super::{Error, SimulatedNode};
use crate::Code;
use crate::state::Quirks;

impl SimulatedNode {
    /// Lists profiles only while MIG mode is on, as drivers up to about R535.
    pub fn hide_profiles(&self) -> Result<(), Error> {
        self.deviate(|quirks| quirks.hides_profiles = true)
    }

    /// Lists the profile that NVML's enum numbers `own` as `other`: beyond 17, as a driver that is newer than the header.
    pub fn renumber_profile(&self, own: u32, other: u32) -> Result<(), Error> {
        self.deviate(|quirks| quirks.renumbered.extend([(own, other)]))
    }

    /// Answers `code` for a number of NVML's enum of profiles.
    pub fn fail_profile(&self, number: u32, code: Code) -> Result<(), Error> {
        self.deviate(|quirks| quirks.failing.extend([(number, code.number())]))
    }

    /// Tells the MIG device where a compute instance's GPU is asked for.
    pub fn name_mig_devices(&self) -> Result<(), Error> {
        self.deviate(|quirks| quirks.names_mig_devices = true)
    }

    fn deviate(&self, deviation: impl FnOnce(&mut Quirks)) -> Result<(), Error> {
        Ok(self.store.update(|state| deviation(&mut state.quirks))?)
    }
}
