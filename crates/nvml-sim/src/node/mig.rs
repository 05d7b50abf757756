//! MIG by hand, as a person with `nvidia-smi` would.

use super::{Error, SimulatedNode};
use crate::Code;
use crate::rules::{self, Activation};
use crate::state::State;
use products::{Profile, compute_profiles};

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
        let whole = self.profile(gpu, profile)?.compute_slices;
        let created = self.create_divided(gpu, profile, start, &[whole])?;
        Ok(created.concat())
    }

    /// Creates a GPU instance with compute instances of these sizes in compute slices, as a person may who divides it on.
    /// Returns the UUIDs of the MIG devices.
    ///
    /// # Errors
    /// As [`Self::create_instance`].
    pub fn create_divided(
        &self,
        gpu: usize,
        profile: &str,
        start: Option<u32>,
        sizes: &[u32],
    ) -> Result<Vec<String>, Error> {
        let id = self.profile(gpu, profile)?.id;
        let at = start
            .map(|start| format!(" at {start}"))
            .unwrap_or_default();
        let what = format!("create a {profile} instance on GPU {gpu}{at}");
        self.change(gpu, what, |state| {
            let mut after = state.clone();
            let uuids = create_divided(&mut after, gpu, (id, start), sizes)?;
            *state = after;
            Ok(uuids)
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

    fn profile(&self, index: usize, profile: &str) -> Result<&'static Profile, Error> {
        let state = self.state()?;
        let count = state.gpus.len();
        let gpu = state.gpus.get(index).ok_or(Error::NoGpu { index, count })?;
        let mig = gpu.product().and_then(|product| product.mig.as_ref());
        mig.and_then(|mig| mig.by_name(profile)).ok_or_else(|| {
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

fn create_divided(
    state: &mut State,
    gpu: usize,
    (profile_id, start): (u32, Option<u32>),
    sizes: &[u32],
) -> Result<Vec<String>, Code> {
    let gi = rules::create_gpu_instance(state, gpu, profile_id, start)?;
    let profile = state.gpus.get(gpu).and_then(|gpu| gpu.profile(profile_id));
    let inner = compute_profiles(profile.ok_or(Code::Unknown)?);
    let compute = |size: &u32| {
        let profile = inner.iter().find(|profile| profile.slices == *size);
        let id = profile.ok_or(Code::InvalidArgument)?.id;
        let ci = rules::create_compute_instance(state, gpu, gi, id, None)?;
        let (_, ci) = rules::compute_instance(rules::gpu(state, gpu)?, ci)?;
        Ok(ci.uuid.clone())
    };
    sizes.iter().map(compute).collect()
}
