//! A Kubernetes node, and its `GpuNode`.

use std::collections::BTreeMap;

use crds::GpuNodeSpec;
use crds::gpu_node::{AgentStage, MaintenanceStatus};
use plan::node::NodeView;

use super::Place;
use super::slices::Slices;
use super::stack::Stack;
use crate::store::{Number, Store};

/// Labels that promise something.
pub type Promises = BTreeMap<String, String>;

/// A node, as far as anybody here reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of the object by itself"
)]
pub struct Node {
    /// The first of its name is 1.
    pub uid: u8,
    /// It is cordoned, by whomever.
    pub unschedulable: bool,
    /// `managedFields` give the cordon to the operator. Never so without a cordon.
    pub cordon_is_ours: bool,
    /// The operation of the marker; none: 0.
    pub marker: u8,
    /// The marker remembers a cordon of somebody else.
    pub pre_cordoned: bool,
    /// The maintenance taint.
    pub tainted: bool,
    /// A person holds it.
    pub hold: bool,
    /// A person's retry annotation: one value or another.
    pub retry: bool,
    /// The key of the plugin's configuration.
    pub key: Option<Number<String>>,
    /// What it promises to pods.
    pub promises: Number<Promises>,
    /// The slices that it advertises.
    pub advertised: Slices,
    /// What is written on it about NVIDIA's programs.
    pub stack: Stack,
}

impl Node {
    /// A node of which nothing is known but what it has.
    pub const fn new(uid: u8, advertised: Slices, stack: Stack, nothing: Number<Promises>) -> Self {
        Self {
            uid,
            unschedulable: false,
            cordon_is_ours: false,
            marker: 0,
            pre_cordoned: false,
            tainted: false,
            hold: false,
            retry: false,
            key: None,
            promises: nothing,
            advertised,
            stack,
        }
    }

    /// Whether the scheduler may bind pods to it.
    pub const fn takes_pods(&self) -> bool {
        !self.unschedulable && !self.tainted
    }

    /// What a step sees of it.
    pub fn view(&self, place: Place, keys: &Store<String>, promises: &Store<Promises>) -> NodeView {
        NodeView {
            name: place.name().to_owned(),
            uid: uid(self.uid),
            ready: true,
            unschedulable: self.unschedulable,
            cordon_is_ours: self.cordon_is_ours,
            operation: (self.marker != 0).then(|| self.marker.into()),
            pre_cordoned: self.pre_cordoned,
            tainted: self.tainted,
            hold: self.hold,
            retry: Some(u8::from(self.retry).to_string()),
            plugin_config: self.key.map(|key| keys.get(key).clone()),
            guarantees: promises.get(self.promises).clone(),
            neighbours: self.stack.neighbours(),
            resources: self.advertised.resources(),
        }
    }
}

/// A node's UID as text.
pub fn uid(number: u8) -> String {
    format!("node-{number}")
}

/// A `GpuNode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GpuNode {
    /// UID of the node that it belongs to; none: 0.
    pub owner: u8,
    /// `spec`.
    pub spec: Number<GpuNodeSpec>,
    /// `status.maintenance`.
    pub status: Number<MaintenanceStatus>,
    /// `status.agent`.
    pub report: Option<Report>,
}

/// What the agent last told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Report {
    /// The GPU's slices.
    pub slices: Slices,
    /// Whether the first pod holds its slice, and the second.
    pub holders: [bool; 2],
    /// About an operation.
    pub answer: Option<Answer>,
}

/// What the agent last told about an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Answer {
    /// The operation.
    pub id: u8,
    /// How far it is.
    pub stage: AgentStage,
    /// Something went wrong.
    pub error: bool,
}
