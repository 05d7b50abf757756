//! The thread that owns the driver.

use std::sync::mpsc::Receiver;

use crds::gpu_node::ComputeMode;
use gpu::{Driver, Inventory};
use process::admin::Liveness;

use super::{Load, Request};
use crate::decide::Step;

/// The driver, if it could be opened.
pub(super) struct Owner {
    load: Load,
    driver: Option<Box<dyn Driver>>,
    liveness: Liveness,
}

impl Owner {
    pub(super) fn new(load: Load, liveness: Liveness) -> Self {
        Self {
            load,
            driver: None,
            liveness,
        }
    }

    /// Answers until nobody is left who asks.
    pub(super) fn run(mut self, inbox: &Receiver<Request>) {
        while let Ok(request) = inbox.recv() {
            // Whoever has gone away meanwhile does not need the answer.
            match request {
                Request::Inventory(answer) => drop(answer.send(self.inventory())),
                Request::Take(step, answer) => drop(answer.send(self.take(&step))),
                Request::SetComputeMode(gpu, mode, answer) => {
                    drop(answer.send(self.set_compute_mode(&gpu, mode)));
                }
            }
            self.liveness.beat();
        }
    }

    /// A driver that cannot be read is opened afresh next time: it may have been replaced.
    fn inventory(&mut self) -> Result<Inventory, gpu::Error> {
        let read = self.driver()?.inventory();
        if read.is_err() {
            self.driver = None;
        }
        read
    }

    fn take(&mut self, step: &Step) -> Result<Option<String>, gpu::Error> {
        match step {
            Step::SetMode { gpu, enabled } => self.driver()?.set_mig_mode(gpu, *enabled)?,
            // The driver is closed for it; the next question opens it afresh.
            Step::Reset { gpu } => self.open()?.reset(gpu)?,
            Step::DestroyDevice { gpu, at, .. } => {
                self.driver()?.destroy_compute_instances(gpu, at)?;
            }
            Step::DestroyInstance { gpu, at } => {
                let driver = self.driver()?;
                driver.destroy_compute_instances(gpu, at)?;
                driver.destroy_gpu_instance(gpu, at)?;
            }
            Step::CreateInstance { gpu, at } => self.driver()?.create_gpu_instance(gpu, at)?,
            // The supervisor takes these, and asks for compute modes in its own time.
            Step::StopMps | Step::StartMps { .. } => {}
            Step::CreateDevice { gpu, at } => {
                return self.driver()?.create_compute_instance(gpu, at).map(Some);
            }
        }
        Ok(None)
    }

    fn set_compute_mode(&mut self, gpu: &str, mode: ComputeMode) -> Result<(), gpu::Error> {
        self.driver()?.set_compute_mode(gpu, mode)
    }

    fn driver(&mut self) -> Result<&mut dyn Driver, gpu::Error> {
        let driver = self.open()?;
        Ok(self.driver.insert(driver).as_mut())
    }

    /// The driver that is open already, or another.
    fn open(&mut self) -> Result<Box<dyn Driver>, gpu::Error> {
        match self.driver.take() {
            Some(driver) => Ok(driver),
            None => (self.load)(),
        }
    }
}
