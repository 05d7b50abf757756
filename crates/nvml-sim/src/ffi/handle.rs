//! The opaque handles of the C surface.
//!
//! A handle is a number in a table that only grows, not an address. It stays valid as long as the
//! library is loaded and is checked at each use: the instance behind it may be gone, also by the
//! hand of another process.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::state::{ComputeInstance, Gpu, GpuInstance, State};
use crate::{Code, rules};

/// What C holds as `nvmlDevice_t`, `nvmlGpuInstance_t`, `nvmlComputeInstance_t` or
/// `nvmlEventSet_t`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handle(usize);

/// What a handle stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A GPU, by index.
    Gpu(usize),
    /// A MIG device: GPU and serial of the compute instance.
    Mig(usize, u64),
    /// A GPU instance: GPU and serial.
    GpuInstance(usize, u64),
    /// A compute instance: GPU and serial.
    ComputeInstance(usize, u64),
    /// An event set.
    EventSet(u64),
    /// Something that the caller gave back.
    Freed,
}

/// What an `nvmlDevice_t` is at this moment.
#[derive(Clone, Copy)]
pub enum Device<'a> {
    /// A whole GPU.
    Whole(usize, &'a Gpu),
    /// A MIG device.
    Mig(usize, &'a Gpu, &'a GpuInstance, &'a ComputeInstance),
}

/// Handles given out; a handle is its position here, times [`STEP`], from [`FIRST`].
static GIVEN: Mutex<Vec<Target>> = Mutex::new(Vec::new());
const FIRST: usize = 0x10_0000;
const STEP: usize = 16;

impl Handle {
    /// The handle of `target`, the same each time.
    pub fn of(target: Target) -> Self {
        let mut given = given();
        let position = given
            .iter()
            .position(|other| *other == target)
            .unwrap_or_else(|| {
                given.push(target);
                given.len() - 1
            });
        Self(FIRST + position * STEP)
    }

    /// What the handle stands for.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for what was never given out, or given back.
    pub fn target(self) -> Result<Target, Code> {
        let target = self
            .position()
            .and_then(|position| given().get(position).copied());
        match target {
            None | Some(Target::Freed) => Err(Code::InvalidArgument),
            Some(target) => Ok(target),
        }
    }

    /// Takes the handle back.
    pub fn free(self) {
        if let Some(position) = self.position()
            && let Some(target) = given().get_mut(position)
        {
            *target = Target::Freed;
        }
    }

    /// As a pointer in a struct of the header. It is never followed.
    pub fn pointer<T>(self) -> *mut T {
        std::ptr::without_provenance_mut(self.0)
    }

    fn position(self) -> Option<usize> {
        let offset = self.0.checked_sub(FIRST)?;
        offset.is_multiple_of(STEP).then_some(offset / STEP)
    }

    /// The device behind this handle.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for another kind of handle, `NOT_FOUND` for a MIG device that is gone,
    /// `GPU_IS_LOST`.
    pub fn device(self, state: &State) -> Result<Device<'_>, Code> {
        match self.target()? {
            Target::Gpu(index) => Ok(Device::Whole(index, rules::gpu(state, index)?)),
            Target::Mig(index, serial) => {
                let gpu = rules::gpu(state, index)?;
                let (gi, ci) = rules::compute_instance(gpu, serial)?;
                Ok(Device::Mig(index, gpu, gi, ci))
            }
            Target::GpuInstance(..)
            | Target::ComputeInstance(..)
            | Target::EventSet(_)
            | Target::Freed => Err(Code::InvalidArgument),
        }
    }

    /// The whole GPU behind this handle.
    ///
    /// # Errors
    /// As [`Self::device`]; `INVALID_ARGUMENT` for a MIG device.
    pub fn gpu(self, state: &State) -> Result<(usize, &Gpu), Code> {
        match self.device(state)? {
            Device::Whole(index, gpu) => Ok((index, gpu)),
            Device::Mig(..) => Err(Code::InvalidArgument),
        }
    }

    /// The GPU instance behind this handle, with its GPU.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for another kind of handle, `NOT_FOUND` once it is gone.
    pub fn gpu_instance(self, state: &State) -> Result<(usize, &Gpu, &GpuInstance), Code> {
        let Target::GpuInstance(index, serial) = self.target()? else {
            return Err(Code::InvalidArgument);
        };
        let gpu = rules::gpu(state, index)?;
        Ok((index, gpu, rules::instance(gpu, serial)?))
    }
}

impl<'a> Device<'a> {
    /// The GPU that it is, or is a part of.
    pub const fn parent(self) -> &'a Gpu {
        match self {
            Self::Whole(_, gpu) | Self::Mig(_, gpu, ..) => gpu,
        }
    }
}

fn given() -> MutexGuard<'static, Vec<Target>> {
    // The table is valid after every statement that changes it.
    GIVEN.lock().unwrap_or_else(PoisonError::into_inner)
}
