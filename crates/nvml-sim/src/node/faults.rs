//! Making the driver fail, wait and lose GPUs, and taking that back.

use super::{Error, SimulatedNode};
use crate::ffi;
use crate::state::{Fault, Gpu};

impl SimulatedNode {
    /// Makes calls of a function fail.
    ///
    /// # Errors
    /// [`Error::UnknownFunction`].
    pub fn inject(&self, fault: Fault) -> Result<(), Error> {
        check_function(&fault.function)?;
        Ok(self.store.update(|state| state.faults.push(fault))?)
    }

    /// Makes each call of a function take this long; 0 = no longer.
    ///
    /// # Errors
    /// [`Error::UnknownFunction`].
    pub fn delay(&self, function: &str, millis: u64) -> Result<(), Error> {
        check_function(function)?;
        Ok(self.store.update(|state| match millis {
            0 => drop(state.latency_ms.remove(function)),
            _ => drop(state.latency_ms.insert(function.to_owned(), millis)),
        })?)
    }

    /// Lets a GPU fall off the bus.
    pub fn lose(&self, gpu: usize) -> Result<(), Error> {
        self.mark(gpu, |gpu| gpu.lost = true)
    }

    /// Keeps every change of a GPU's MIG mode pending, until healed or rebooted.
    pub fn stick_mode(&self, gpu: usize) -> Result<(), Error> {
        self.mark(gpu, |gpu| gpu.mode_stuck = true)
    }

    /// Takes back every fault, delay, loss and stuck mode.
    pub fn heal(&self) -> Result<(), Error> {
        Ok(self.store.update(|state| {
            state.faults.clear();
            state.latency_ms.clear();
            for gpu in &mut state.gpus {
                (gpu.lost, gpu.mode_stuck) = (false, false);
            }
        })?)
    }

    fn mark(&self, index: usize, mark: impl FnOnce(&mut Gpu)) -> Result<(), Error> {
        self.store.update(|state| {
            let count = state.gpus.len();
            state
                .gpus
                .get_mut(index)
                .map(mark)
                .ok_or(Error::NoGpu { index, count })
        })?
    }
}

fn check_function(function: &str) -> Result<(), Error> {
    if ffi::symbols().any(|symbol| symbol == function) {
        return Ok(());
    }
    Err(Error::UnknownFunction(function.to_owned()))
}
