//! What one step asks for.

use std::collections::BTreeMap;

use crds::GpuNodeSpec;
use crds::gpu_node::{MaintenanceStatus, PodReference};
use jiff::Timestamp;

use crate::reason::Reason;

/// What one step asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// `status.maintenance` as it must be. Equal to the observed one: do not write.
    pub status: MaintenanceStatus,
    /// What must be done, in this order, before the status is written. None of it depends on that status.
    pub effects: Vec<Effect>,
    /// What to tell people once the effects are done and the status is written.
    pub events: Vec<Event>,
    /// What to tell the owners of pods then, who may see neither Node nor `GpuNode`.
    pub pod_events: Vec<PodEvent>,
    /// When to look again, if nothing is seen to change before.
    pub next: Next,
}

/// One write to the world. All are safe to repeat. Writes to the Node and the `GpuNode` are compare-and-swap on the
/// `resourceVersion` that was read for this step.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// One patch of the Node, by field manager [`crds::names::CORDON_MANAGER`]: `unschedulable` true, marker
    /// annotations, maintenance taint, guarantee labels withdrawn.
    Cordon {
        /// The marker's operation.
        operation: i64,
        /// The marker's memory: somebody else had cordoned the node before.
        pre_cordoned: bool,
    },
    /// One patch of the Node: marker annotations and maintenance taint off, labels set (`Some`) or removed (`None`).
    Uncordon {
        /// Also `unschedulable` false. Otherwise that field is not written.
        schedulable: bool,
        /// Labels.
        labels: BTreeMap<String, Option<String>>,
    },
    /// Node labels to set (`Some`) or to remove (`None`).
    Label(BTreeMap<String, Option<String>>),
    /// One patch of the Node: labels that others go by to set (`Some`) or to remove (`None`), together with the annotations
    /// that remember what they were.
    Remember {
        /// Labels.
        labels: BTreeMap<String, Option<String>>,
        /// Annotations.
        annotations: BTreeMap<String, Option<String>>,
    },
    /// An entry of the `ConfigMap` with the device plugin's configurations, and an annotation that says since when it is
    /// there, in one write.
    PublishConfig {
        /// The entry's key.
        key: String,
        /// The entry's content.
        content: String,
        /// Now.
        since: Timestamp,
    },
    /// The `GpuNode`'s whole spec.
    Ask(GpuNodeSpec),
    /// Evict a pod through the eviction API, with its UID as precondition. The answer goes to
    /// [`crate::drain::EvictionMemory::after`]; whatever it is, the next effects are performed.
    Evict {
        /// The pod.
        pod: PodReference,
        /// Seconds that it gets to end; unset: its own.
        grace: Option<i64>,
    },
    /// Delete a pod of NVIDIA's that its `DaemonSet` makes anew, with its UID as precondition. Whatever the answer, the next
    /// effects are performed.
    Restart(PodReference),
    /// Delete a pod past its disruption budgets, with its UID as precondition. The answer goes the same way, and is then
    /// marked as [`crate::drain::EvictionMemory::of_deletion`].
    Delete {
        /// The pod.
        pod: PodReference,
        /// Seconds that it gets to end; unset: its own.
        grace: Option<i64>,
    },
}

/// Something that people should hear of, on the Node and the `GpuNode`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// One word.
    pub reason: Reason,
    /// Whether it is a warning.
    pub kind: EventKind,
    /// A sentence.
    pub message: String,
}

/// Something that the owner of a pod should hear of, on the pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodEvent {
    /// The pod.
    pub pod: PodReference,
    /// What happened to it.
    pub event: Event,
}

/// The two types of Kubernetes events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// As planned.
    Normal,
    /// Somebody may want to do something.
    Warning,
}

/// When to look again, if nothing is seen to change before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Only when something changes.
    Watch,
    /// At this moment.
    At(Timestamp),
    /// In a second: pods are being waited for.
    Poll,
}
