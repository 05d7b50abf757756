//! Making the driver fail, wait and lose GPUs, and taking that back.

use super::{Error, SimulatedNode};
use crate::ffi;
use crate::state::{Fault, Gpu, Quirks, Until};

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

    /// Keeps every change of a GPU's MIG mode pending, until healed, rebooted, or reset if that is enough.
    pub fn stick_mode(&self, gpu: usize, until: Until) -> Result<(), Error> {
        self.mark(gpu, |gpu| gpu.mode_stuck = Some(until))
    }

    /// Takes back every fault, delay, loss, stuck mode and deviation of the driver.
    pub fn heal(&self) -> Result<(), Error> {
        Ok(self.store.update(|state| {
            state.faults.clear();
            state.latency_ms.clear();
            state.quirks = Quirks::default();
            for gpu in &mut state.gpus {
                (gpu.lost, gpu.mode_stuck) = (false, None);
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

#[cfg(test)]
mod tests {
    use crate::state::{Fault, State, Until, When};
    use crate::{Code, Error, SimulatedNode};

    fn node() -> (tempfile::TempDir, SimulatedNode) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gpus.json");
        let node = SimulatedNode::create(path, Some(1), &["A100-SXM4-40GB"]).unwrap();
        (folder, node)
    }

    fn fault(function: &str) -> Fault {
        Fault {
            function: function.to_owned(),
            code: 9,
            when: When::Every,
        }
    }

    #[test]
    fn healing_takes_back_everything_that_was_broken() {
        let (_folder, node) = node();
        let whole: State = node.state().unwrap();
        node.inject(fault("nvmlInit_v2")).unwrap();
        node.delay("nvmlDeviceSetMigMode", 30).unwrap();
        node.lose(0).unwrap();
        node.stick_mode(0, Until::Reboot).unwrap();
        node.hide_profiles().unwrap();
        node.renumber_profile(7, 20).unwrap();
        node.fail_profile(5, Code::Unknown).unwrap();
        let broken = node.state().unwrap();
        assert_eq!(broken.faults, [fault("nvmlInit_v2")]);
        assert_eq!(broken.latency_ms["nvmlDeviceSetMigMode"], 30);
        assert!(broken.gpus[0].lost && broken.gpus[0].mode_stuck.is_some());
        let quirks = &broken.quirks;
        assert!(quirks.hides_profiles);
        assert_eq!((quirks.renumbered[&7], quirks.failing[&5]), (20, 999));
        node.heal().unwrap();
        assert_eq!(node.state().unwrap(), whole);
    }

    #[test]
    fn a_delay_of_nothing_is_no_delay() {
        let (_folder, node) = node();
        node.delay("nvmlDeviceSetMigMode", 30).unwrap();
        node.delay("nvmlDeviceSetMigMode", 0).unwrap();
        assert!(node.state().unwrap().latency_ms.is_empty());
    }

    #[test]
    fn what_the_library_has_not_cannot_fail_or_wait() {
        let (_folder, node) = node();
        let unknown = |result| matches!(result, Err(Error::UnknownFunction(_)));
        assert!(unknown(node.inject(fault("nvmlDeviceGetUuid"))));
        assert!(unknown(node.delay("nvmlDeviceGetUuid", 1)));
        assert!(matches!(
            node.lose(1),
            Err(Error::NoGpu { index: 1, count: 1 })
        ));
    }

    #[test]
    fn every_fault_can_name_each_exported_function_once() {
        let mut all: Vec<_> = crate::symbols().collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        assert!(all.contains(&"nvmlDeviceCreateGpuInstanceWithPlacement"));
    }
}
