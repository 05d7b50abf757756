//! How long the driver takes.

use super::{Error, SimulatedNode};

/// The time that a driver takes for changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// None: for tests.
    AtOnce,
    /// Roughly what hardware takes: for comparisons of ways to get from one layout to another, and for demonstrations.
    Real,
}

/// Milliseconds by function.
///
/// About a second for the destruction of a GPU instance is what NVIDIA's DRA driver notes of real GPUs; that of a compute
/// instance is assumed to be shorter, as it only gives multiprocessors back, and a creation to take as long as a
/// destruction. Ten seconds for a mode stand for the reset of an Ampere GPU.
const REAL: [(&str, u64); 8] = [
    ("nvmlDeviceCreateGpuInstance", 1_000),
    ("nvmlDeviceCreateGpuInstanceWithPlacement", 1_000),
    ("nvmlGpuInstanceDestroy", 1_000),
    ("nvmlGpuInstanceCreateComputeInstance", 300),
    ("nvmlGpuInstanceCreateComputeInstanceWithPlacement", 300),
    ("nvmlComputeInstanceDestroy", 300),
    ("nvmlDeviceSetMigMode", 10_000),
    ("nvmlInit_v2", 200),
];

impl SimulatedNode {
    /// Sets how long changes take. Single functions can be set apart afterwards, by [`Self::delay`].
    pub fn set_pace(&self, pace: Pace) -> Result<(), Error> {
        Ok(self.store.update(|state| {
            state.latency_ms.clear();
            match pace {
                Pace::AtOnce => {}
                Pace::Real => {
                    let named = REAL.map(|(function, millis)| (function.to_owned(), millis));
                    state.latency_ms.extend(named);
                }
            }
        })?)
    }
}

#[cfg(test)]
mod tests {
    use super::{Pace, REAL};
    use crate::SimulatedNode;

    #[test]
    fn a_real_pace_slows_functions_that_exist_and_can_be_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gpus.json");
        let node = SimulatedNode::create(path, Some(1), &["A30"]).unwrap();
        let fast = node.state().unwrap();
        node.set_pace(Pace::Real).unwrap();
        let slow = node.state().unwrap().latency_ms;
        assert_eq!(slow.len(), REAL.len());
        for function in slow.keys() {
            assert!(
                crate::symbols().any(|symbol| symbol == function),
                "{function}"
            );
        }
        node.set_pace(Pace::AtOnce).unwrap();
        assert_eq!(node.state().unwrap(), fast);
    }
}
