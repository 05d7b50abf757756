//! What the agent asks of a driver.

use crds::gpu_node::{ComputeMode, GpuStatus, PlacedProfile};

use crate::Error;

/// One node's GPUs, through their driver. One call changes one thing.
///
/// Calls block: milliseconds for reading, a second for an instance, up to a minute where a change of MIG mode resets
/// the GPU. GPUs are named by NVML's UUID, instances by profile and first memory slice, as both outlive handles and
/// indices.
///
/// After a failure take a fresh inventory before going on. What NVML refused has changed nothing; but a change may have
/// been made whose outcome could not be read, [`Driver::destroy_compute_instances`] may have destroyed some, and
/// [`Driver::set_mig_mode`] may have left the change pending.
pub trait Driver: Send {
    /// Reads every GPU afresh. `holders` is empty and `owned` false: NVML knows neither pods nor who made an instance.
    ///
    /// # Errors
    /// One GPU that cannot be read fails the whole: a node that has lost a GPU must not look like one with fewer GPUs.
    /// [`Error::Lost`] names a GPU that fell off the bus.
    fn inventory(&mut self) -> Result<Inventory, Error>;

    /// Turns MIG mode on or off. Ok only if it is in effect, and nothing else is pending, afterwards. On Ampere this
    /// resets an idle GPU.
    ///
    /// # Errors
    /// [`Error::ResetNeeded`]: accepted, but pending until a reset; setting the old mode takes it back.
    /// [`Error::Busy`]: refused, the GPU has processes or instances.
    fn set_mig_mode(&mut self, gpu: &str, enabled: bool) -> Result<(), Error>;

    /// Sets the compute mode of a GPU. Ok only if it is read back. It outlives the processes that set it, not a reboot.
    ///
    /// # Errors
    /// [`Error::NotSet`]: accepted, and another is read back. [`Error::Call`] with `NO_PERMISSION`: this needs root.
    fn set_compute_mode(&mut self, gpu: &str, mode: ComputeMode) -> Result<(), Error>;

    /// Resets this GPU and no other, so that a pending MIG mode takes effect; its instances go. The driver is closed for it,
    /// as nobody may have the GPU open: open it afresh to see what became of it. Takes up to a minute.
    ///
    /// # Errors
    /// [`Error::NotReset`]: it is in use, or the reset failed. [`Error::NoReset`]: this GPU cannot be reset on this node.
    fn reset(self: Box<Self>, gpu: &str) -> Result<(), Error>;

    /// Creates a GPU instance at its place, without compute instances: no pod can use it yet.
    ///
    /// # Errors
    /// [`Error::NoRoom`] when a slice that it needs is taken.
    fn create_gpu_instance(&mut self, gpu: &str, at: &PlacedProfile) -> Result<(), Error>;

    /// Creates the one compute instance that fills the GPU instance. Returns the UUID of the MIG device, which is new
    /// at each creation.
    ///
    /// # Errors
    /// [`Error::NoRoom`] when there is a compute instance already.
    fn create_compute_instance(&mut self, gpu: &str, at: &PlacedProfile) -> Result<String, Error>;

    /// Destroys every compute instance of a GPU instance; Ok if there is none.
    ///
    /// # Errors
    /// [`Error::Busy`] at the first with processes on it.
    fn destroy_compute_instances(&mut self, gpu: &str, at: &PlacedProfile) -> Result<(), Error>;

    /// Destroys a GPU instance without compute instances.
    ///
    /// # Errors
    /// [`Error::Busy`] while compute instances are in it. [`Error::NoSuchInstance`] when it is gone.
    fn destroy_gpu_instance(&mut self, gpu: &str, at: &PlacedProfile) -> Result<(), Error>;
}

/// The GPUs of a node at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inventory {
    /// Version of the driver, such as `580.95.05`.
    pub driver_version: String,
    /// The GPUs by NVML's index.
    pub gpus: Vec<GpuStatus>,
}
