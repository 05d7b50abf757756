//! The driver on a thread of its own: its calls block, and its library likes to be called from one place.

mod owner;

use std::sync::mpsc;

use crds::gpu_node::ComputeMode;
use gpu::{Driver, Inventory};
use process::admin::Liveness;
use tokio::sync::oneshot;

use crate::decide::Step;

/// What opens the driver; called again after it failed.
pub type Load = Box<dyn FnMut() -> Result<Box<dyn Driver>, gpu::Error> + Send>;

/// Why there is no answer from the GPUs.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// The driver says no.
    #[error(transparent)]
    Driver(#[from] gpu::Error),
    /// Its thread has ended.
    #[error("the thread that talks to the driver has ended; the agent is restarted")]
    Gone,
}

/// The GPUs of this node. Clones talk to the same thread, which ends when the last is dropped.
#[derive(Clone, Debug)]
pub struct Gpus {
    requests: mpsc::Sender<Request>,
}

/// What the thread can be asked.
enum Request {
    Inventory(oneshot::Sender<Result<Inventory, gpu::Error>>),
    Take(Step, oneshot::Sender<Result<Option<String>, gpu::Error>>),
    SetComputeMode(String, ComputeMode, oneshot::Sender<Result<(), gpu::Error>>),
}

impl Gpus {
    /// Starts the thread. The driver is opened at the first question; `liveness` beats at each answer.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub fn start(load: Load, liveness: Liveness) -> std::io::Result<Self> {
        let (requests, inbox) = mpsc::channel();
        let owner = owner::Owner::new(load, liveness);
        std::thread::Builder::new()
            .name("driver".to_owned())
            .spawn(move || owner.run(&inbox))?;
        Ok(Self { requests })
    }

    /// Reads every GPU afresh.
    pub async fn inventory(&self) -> Result<Inventory, DriverError> {
        self.ask(Request::Inventory).await
    }

    /// Takes a step. Of a new device its UUID is returned.
    pub async fn take(&self, step: Step) -> Result<Option<String>, DriverError> {
        self.ask(|answer| Request::Take(step, answer)).await
    }

    /// Sets the compute mode of the GPU with this UUID.
    pub async fn set_compute_mode(&self, gpu: &str, mode: ComputeMode) -> Result<(), DriverError> {
        let gpu = gpu.to_owned();
        self.ask(|answer| Request::SetComputeMode(gpu, mode, answer))
            .await
    }

    async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<T, gpu::Error>>) -> Request,
    ) -> Result<T, DriverError> {
        let (sender, answer) = oneshot::channel();
        let sent = self.requests.send(request(sender));
        sent.map_err(|_| DriverError::Gone)?;
        Ok(answer.await.map_err(|_| DriverError::Gone)??)
    }
}
