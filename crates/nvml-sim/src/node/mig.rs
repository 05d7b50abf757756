//! MIG by hand, as a person with `nvidia-smi` would.

use super::{Error, SimulatedNode};
use crate::Code;
use crate::rules::{self, Activation};
use crate::state::State;
use products::compute_profiles;

impl SimulatedNode {
    /// Turns MIG on or off.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::Pending`] when it was accepted but is not in effect.
    pub fn set_mig_mode(&self, gpu: usize, enable: bool) -> Result<(), Error> {
        let what = format!(
            "turn MIG mode of GPU {gpu} {}",
            if enable { "on" } else { "off" }
        );
        match self.change(gpu, what, |state| rules::set_mig_mode(state, gpu, enable))? {
            Activation::Done => Ok(()),
            Activation::Pending(code) => Err(Error::Pending { gpu, code }),
        }
    }

    /// Creates a GPU instance with one compute instance that fills it, at `start` or where the
    /// driver would put it. Returns the UUID of the MIG device.
    ///
    /// # Errors
    /// [`Error::UnknownProfile`]; [`Error::Refused`] when it does not fit; then nothing was made.
    pub fn create_instance(
        &self,
        gpu: usize,
        profile: &str,
        start: Option<u32>,
    ) -> Result<String, Error> {
        let profile_id = self.profile_id(gpu, profile)?;
        let at = start
            .map(|start| format!(" at {start}"))
            .unwrap_or_default();
        let what = format!("create a {profile} instance on GPU {gpu}{at}");
        self.change(gpu, what, |state| {
            create_filled(state, gpu, profile_id, start)
        })
    }

    /// Destroys a MIG device and its GPU instance with it, if it was the last one in there.
    ///
    /// # Errors
    /// [`Error::NoMigDevice`]; [`Error::Refused`] while a process runs on it.
    pub fn destroy_instance(&self, mig_uuid: &str) -> Result<(), Error> {
        let missing = || Error::NoMigDevice(mig_uuid.to_owned());
        let state = self.state()?;
        let (gpu, gi, ci) = state.mig_device(mig_uuid).ok_or_else(missing)?;
        let what = format!("destroy MIG device {mig_uuid}");
        self.change(gpu, what, |state| {
            rules::destroy_compute_instance(state, gpu, ci.serial)?;
            match rules::destroy_gpu_instance(state, gpu, gi.serial) {
                // Other compute instances live in it.
                Err(Code::InUse) => Ok(()),
                done => done,
            }
        })
    }

    fn profile_id(&self, index: usize, profile: &str) -> Result<u32, Error> {
        let state = self.state()?;
        let count = state.gpus.len();
        let gpu = state.gpus.get(index).ok_or(Error::NoGpu { index, count })?;
        let mig = gpu.product().and_then(|product| product.mig.as_ref());
        mig.and_then(|mig| mig.by_name(profile))
            .map(|found| found.id)
            .ok_or_else(|| {
                let names = mig.iter().flat_map(|mig| mig.profiles).map(|p| p.name);
                let known = names.collect::<Vec<_>>().join(", ");
                Error::UnknownProfile {
                    gpu: index,
                    profile: profile.to_owned(),
                    known,
                }
            })
    }
}

fn create_filled(
    state: &mut State,
    gpu: usize,
    profile_id: u32,
    start: Option<u32>,
) -> Result<String, Code> {
    let gi = rules::create_gpu_instance(state, gpu, profile_id, start)?;
    let profile = state.gpus.get(gpu).and_then(|gpu| gpu.profile(profile_id));
    let whole = profile.and_then(|profile| compute_profiles(profile).last());
    let whole = whole.ok_or(Code::Unknown)?.id;
    let ci = rules::create_compute_instance(state, gpu, gi, whole, None)?;
    let (_, ci) = rules::compute_instance(rules::gpu(state, gpu)?, ci)?;
    Ok(ci.uuid.clone())
}
