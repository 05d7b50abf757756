//! What is remembered of a node between two looks, and may be lost: nothing of it decides what is safe.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crds::gpu_node::{AgentStatus, PodReference};
use jiff::Timestamp;
use plan::drain::{EvictionMemory, Reply};
use plan::maintenance::Pulse;

/// How evictions went, by the pod's UID.
pub type Evictions = BTreeMap<String, EvictionMemory>;

/// Memories of all nodes.
#[derive(Debug, Default)]
pub struct Memories {
    by_node: Mutex<HashMap<String, Memory>>,
}

#[derive(Debug, Default)]
struct Memory {
    pulse: Pulse,
    evictions: Evictions,
}

impl Memories {
    /// When the node's agent was first seen to say what it says now.
    pub fn hear(&self, node: &str, agent: Option<&AgentStatus>, now: Timestamp) -> Timestamp {
        let mut by_node = self.lock();
        let memory = by_node.entry(node.to_owned()).or_default();
        memory.pulse.hear(agent, now)
    }

    /// How the evictions on the node went so far.
    pub fn evictions(&self, node: &str) -> Evictions {
        let by_node = self.lock();
        let memory = by_node.get(node);
        memory
            .map(|memory| memory.evictions.clone())
            .unwrap_or_default()
    }

    /// Takes in the answer to an eviction, or to a deletion past the budgets.
    pub fn answered(
        &self,
        node: &str,
        pod: &PodReference,
        forced: bool,
        reply: &Reply,
        now: Timestamp,
    ) {
        let mut by_node = self.lock();
        let evictions = &mut by_node.entry(node.to_owned()).or_default().evictions;
        let before = evictions.remove(&pod.uid);
        if let Some(after) = EvictionMemory::after(before.as_ref(), pod, reply, now) {
            let after = if forced { after.of_deletion() } else { after };
            evictions.insert(pod.uid.clone(), after);
        }
    }

    /// The node's drain is over.
    pub fn forget_evictions(&self, node: &str) {
        if let Some(memory) = self.lock().get_mut(node) {
            memory.evictions.clear();
        }
    }

    /// The node is gone.
    pub fn forget(&self, node: &str) {
        self.lock().remove(node);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Memory>> {
        self.by_node.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
