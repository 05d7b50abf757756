//! A node in memory, for tests: GPUs that obey MIG's rules, and count what is done to them.

mod driver;
mod gpus;

use crds::gpu_node::{GpuStatus, MigInstance, MigMode, PlacedProfile};

pub use driver::Shared;
pub use gpus::{a100, at, cut, holder, place, served, t4, target};

use crate::decide::{Served, Step};

/// GPUs that obey MIG's rules.
#[derive(Clone, Debug)]
pub struct World {
    /// As the driver shows them, with owners.
    pub gpus: Vec<GpuStatus>,
    /// The steps that were taken.
    pub taken: Vec<Step>,
    /// How many more steps succeed before one fails.
    pub fails_after: Option<usize>,
    devices: u32,
}

impl World {
    pub fn new(gpus: Vec<GpuStatus>) -> Self {
        Self {
            gpus,
            taken: Vec::new(),
            fails_after: None,
            devices: 0,
        }
    }

    /// Takes a step, or says why the driver would not.
    pub fn take(&mut self, step: &Step) -> Result<Option<String>, String> {
        if self.fails_after == Some(0) {
            self.fails_after = None;
            return Err(format!("cannot {step}: told to fail"));
        }
        self.fails_after = self.fails_after.map(|left| left - 1);
        let device = self.change(step)?;
        self.taken.push(step.clone());
        Ok(device)
    }

    pub fn gpu(&mut self, uuid: &str) -> &mut GpuStatus {
        let mut gpus = self.gpus.iter_mut();
        gpus.find(|gpu| gpu.uuid == uuid).unwrap()
    }

    fn change(&mut self, step: &Step) -> Result<Option<String>, String> {
        match step {
            Step::SetMode { gpu, enabled } => self.set_mode(gpu, *enabled).map(|()| None),
            Step::Reset { gpu } => self.reset(gpu).map(|()| None),
            Step::DestroyDevice { gpu, at, device } => {
                let found = self.instance(gpu, at)?;
                if found.uuid.as_ref() != Some(device) {
                    return Err(format!("{device} is not there"));
                }
                found.uuid = None;
                Ok(None)
            }
            Step::DestroyInstance { gpu, at } => {
                if self.instance(gpu, at)?.uuid.is_some() {
                    return Err("in use".to_owned());
                }
                let gpu = self.gpu(gpu);
                gpu.instances.retain(|it| it.start != at.start);
                Ok(None)
            }
            Step::CreateInstance { gpu, at } => self.create(gpu, at).map(|()| None),
            Step::CreateDevice { gpu, at } => {
                self.devices += 1;
                let device = format!("MIG-{}", self.devices);
                let found = self.instance(gpu, at)?;
                if found.devices().next().is_some() {
                    return Err("no room".to_owned());
                }
                found.uuid = Some(device.clone());
                Ok(Some(device))
            }
            Step::StopMps => self.serve(&[]).map(|()| None),
            Step::StartMps { gpus } => self.serve(gpus).map(|()| None),
        }
    }

    fn serve(&mut self, served: &[Served]) -> Result<(), String> {
        for gpu in &mut self.gpus {
            let found = served.iter().find(|it| it.gpu == gpu.uuid);
            if found.is_some() && gpu.mig.current == MigMode::Enabled {
                return Err("in MIG mode".to_owned());
            }
            gpu.mps = found.map(|it| it.sharing.clone());
        }
        Ok(())
    }

    fn set_mode(&mut self, gpu: &str, enabled: bool) -> Result<(), String> {
        let gpu = self.gpu(gpu);
        if !gpu.instances.is_empty() || !gpu.processes.is_empty() {
            return Err("in use".to_owned());
        }
        let mode = if enabled {
            MigMode::Enabled
        } else {
            MigMode::Disabled
        };
        (gpu.mig.current, gpu.mig.pending) = (mode, mode);
        Ok(())
    }

    fn reset(&mut self, gpu: &str) -> Result<(), String> {
        let gpu = self.gpu(gpu);
        if !gpu.processes.is_empty() {
            return Err("in use".to_owned());
        }
        gpu.instances.clear();
        gpu.mig.current = gpu.mig.pending;
        Ok(())
    }

    fn create(&mut self, gpu: &str, at: &PlacedProfile) -> Result<(), String> {
        let gpu = self.gpu(gpu);
        let offer = gpu.profiles.iter().find(|it| it.name == at.profile);
        let offer = offer.ok_or("no such profile")?;
        let mut places = offer.placements.iter();
        let size = places
            .find(|it| it.start == at.start)
            .ok_or("no such place")?
            .size;
        let end = at.start + size;
        let taken = |it: &MigInstance| it.start < end && at.start < it.start + it.size;
        if gpu.mig.current != MigMode::Enabled || gpu.instances.iter().any(taken) {
            return Err("no room".to_owned());
        }
        gpu.instances.push(MigInstance {
            profile: at.profile.clone(),
            start: at.start,
            size,
            uuid: None,
            parts: Vec::new(),
            owned: true,
        });
        gpu.instances.sort_by_key(|it| it.start);
        Ok(())
    }

    fn instance(&mut self, gpu: &str, at: &PlacedProfile) -> Result<&mut MigInstance, String> {
        let mut instances = self.gpu(gpu).instances.iter_mut();
        instances
            .find(|it| it.start == at.start && it.profile == at.profile)
            .ok_or_else(|| format!("no {} at {}", at.profile, at.start))
    }
}
