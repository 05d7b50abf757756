//! The node in memory as a driver.

use std::sync::{Arc, Mutex, MutexGuard};

use crds::gpu_node::{ComputeMode, PlacedProfile};
use gpu::{Code, Driver, Error, Inventory};

use super::World;
use crate::decide::Step;
use crate::driver::Load;

/// A node that is looked at while a driver works on it. Clones are the same node.
#[derive(Clone, Debug)]
pub struct Shared(Arc<Mutex<World>>);

impl Shared {
    pub fn new(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    /// What opens the driver of this node.
    pub fn load(&self) -> Load {
        let shared = self.clone();
        Box::new(move || Ok(Box::new(shared.clone())))
    }

    fn take(&self, step: &Step) -> Result<Option<String>, Error> {
        let gpu = None;
        self.world().take(step).map_err(|_| Error::Call {
            call: "nvmlTold",
            gpu,
            code: Code(999),
        })
    }
}

impl Driver for Shared {
    fn inventory(&mut self) -> Result<Inventory, Error> {
        let mut gpus = self.world().gpus.clone();
        for gpu in &mut gpus {
            gpu.holders.clear();
            gpu.instances.iter_mut().for_each(|it| it.owned = false);
        }
        Ok(Inventory {
            driver_version: "580.95.05".to_owned(),
            gpus,
        })
    }

    fn set_mig_mode(&mut self, gpu: &str, enabled: bool) -> Result<(), Error> {
        let gpu = gpu.to_owned();
        self.take(&Step::SetMode { gpu, enabled }).map(drop)
    }

    fn set_compute_mode(&mut self, gpu: &str, mode: ComputeMode) -> Result<(), Error> {
        let mut world = self.world();
        let found = world.gpus.iter_mut().find(|it| it.uuid == gpu);
        let found = found.ok_or_else(|| Error::Lost {
            gpu: gpu.to_owned(),
        })?;
        found.compute_mode = Some(mode);
        Ok(())
    }

    fn reset(self: Box<Self>, gpu: &str) -> Result<(), Error> {
        let gpu = gpu.to_owned();
        self.take(&Step::Reset { gpu }).map(drop)
    }

    fn create_gpu_instance(&mut self, gpu: &str, at: &PlacedProfile) -> Result<(), Error> {
        let (gpu, at) = (gpu.to_owned(), at.clone());
        self.take(&Step::CreateInstance { gpu, at }).map(drop)
    }

    fn create_compute_instance(&mut self, gpu: &str, at: &PlacedProfile) -> Result<String, Error> {
        let (gpu, at) = (gpu.to_owned(), at.clone());
        let made = self.take(&Step::CreateDevice { gpu, at })?;
        Ok(made.unwrap())
    }

    fn destroy_compute_instances(&mut self, gpu: &str, at: &PlacedProfile) -> Result<(), Error> {
        let device = {
            let mut world = self.world();
            let mut instances = world.gpu(gpu).instances.iter();
            let found = instances.find(|it| it.start == at.start);
            found.and_then(|it| it.uuid.clone())
        };
        crate::world::at(self.world().gpu(gpu), at.start)
            .parts
            .clear();
        let Some(device) = device else {
            return Ok(());
        };
        let (gpu, at) = (gpu.to_owned(), at.clone());
        self.take(&Step::DestroyDevice { gpu, at, device })
            .map(drop)
    }

    fn destroy_gpu_instance(&mut self, gpu: &str, at: &PlacedProfile) -> Result<(), Error> {
        let (gpu, at) = (gpu.to_owned(), at.clone());
        self.take(&Step::DestroyInstance { gpu, at }).map(drop)
    }
}
