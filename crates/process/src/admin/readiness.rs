//! Whether the process can do its work now: a set of named gates that must all be open.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What must be true before the process counts as ready. Clones share the gates.
#[derive(Clone, Debug, Default)]
pub struct Readiness {
    /// By name; `None` is open, otherwise why it is closed.
    gates: Arc<Mutex<BTreeMap<&'static str, Option<String>>>>,
}

impl Readiness {
    /// Ready until a gate is added.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a gate, closed because it is `not started yet`. Asking again for a name closes that
    /// same gate.
    pub fn gate(&self, name: &'static str) -> Gate {
        let gate = Gate {
            name,
            readiness: self.clone(),
        };
        gate.close("not started yet");
        gate
    }

    /// What is not ready and why, by name; empty when all gates are open.
    pub fn closed(&self) -> Vec<(&'static str, String)> {
        let gates = self.lock();
        gates
            .iter()
            .filter_map(|(name, why)| Some((*name, why.clone()?)))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, Option<String>>> {
        self.gates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One condition of readiness. It stays as last set when it is dropped.
#[derive(Clone, Debug)]
pub struct Gate {
    name: &'static str,
    readiness: Readiness,
}

impl Gate {
    /// Says that this condition holds.
    pub fn open(&self) {
        self.readiness.lock().insert(self.name, None);
    }

    /// Says that this condition does not hold, and why: one line that a person can act on.
    pub fn close(&self, reason: impl fmt::Display) {
        self.readiness
            .lock()
            .insert(self.name, Some(reason.to_string()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_gate_must_be_open_and_the_closed_ones_say_why() {
        let readiness = Readiness::new();
        assert_eq!(readiness.closed(), []);
        let (caches, driver) = (readiness.gate("caches"), readiness.gate("driver"));
        driver.close("libnvidia.so is missing");
        assert_eq!(
            readiness.closed(),
            [
                ("caches", "not started yet".to_owned()),
                ("driver", "libnvidia.so is missing".to_owned())
            ]
        );
        caches.open();
        driver.open();
        assert_eq!(readiness.closed(), []);
        caches.close("the watch broke");
        assert_eq!(
            readiness.closed(),
            [("caches", "the watch broke".to_owned())]
        );
    }
}
