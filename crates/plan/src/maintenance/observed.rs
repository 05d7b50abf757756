//! What one step sees.

use std::collections::BTreeMap;

use crds::gpu_node::{AgentStatus, MaintenanceStatus, PolicyReference};
use crds::policy::Slot;
use crds::{GpuNodeSpec, GpuSharingPolicySpec};
use jiff::Timestamp;

use super::Refresh;
use crate::diagnosis::Stack;
use crate::drain::{BudgetView, EvictionMemory};
use crate::node::NodeView;
use crate::plugin_config::Entry;
use crate::pod::PodView;
use crate::resolve::Wish;
use crate::windows::WindowState;

/// What one step sees. All of it is read afresh for every step that may act; `spec`, `agent` and `maintenance` come
/// from one read of one `GpuNode`.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a> {
    /// The Node. `None`: it does not exist.
    pub node: Option<&'a NodeView>,
    /// `GpuNode.metadata.generation`: what conditions are about. The operator's own requests move it too, so that each of
    /// them is followed by one more status; statuses do not.
    pub generation: Option<i64>,
    /// `GpuNode.spec`.
    pub spec: &'a GpuNodeSpec,
    /// `GpuNode.status.agent`.
    pub agent: Option<&'a AgentStatus>,
    /// When the agent's present beat was first seen, by the operator's clock (see [`super::Pulse`]).
    pub agent_heard: Timestamp,
    /// `GpuNode.status.maintenance`; the default if there is none.
    pub maintenance: &'a MaintenanceStatus,
    /// What the node should be.
    pub wish: &'a Wish,
    /// The policy that `wish` comes from. `None` if and only if the node is unmanaged.
    pub policy: Option<&'a PolicyView<'a>>,
    /// The slot of this node's name in that policy's status, if there is one.
    pub slot: Option<&'a Slot>,
    /// All pods bound to the node. May be empty while the node is neither pending nor in an operation.
    pub pods: &'a [PodView],
    /// The `ConfigMap` with the device plugin's configurations, by key.
    pub configs: &'a BTreeMap<String, Entry>,
    /// NVIDIA's device plugin on the node, where it was looked for: see [`super::wants_diagnosis()`].
    pub stack: Option<&'a Stack>,
    /// Which pods are made anew after a repartition.
    pub refresh: &'a Refresh,
    /// What is remembered of evictions, by pod UID.
    pub evictions: &'a BTreeMap<String, EvictionMemory>,
    /// The disruption budgets in the namespaces of pods that one protects (see [`crate::drain::namespaces`]).
    pub budgets: &'a [BudgetView],
    /// The operator has been given the right to delete pods past their budgets.
    pub may_force: bool,
    /// The operator has been given the right to delete the device plugin's pods.
    pub may_restart_plugin: bool,
}

/// The policy of a node.
#[derive(Clone, Debug)]
pub struct PolicyView<'a> {
    /// Its name, UID and generation.
    pub reference: PolicyReference,
    /// Its spec.
    pub spec: &'a GpuSharingPolicySpec,
    /// Its condition `Valid` is `True` for this generation. While it is not, nothing is changed anywhere.
    pub valid: bool,
    /// The message of `Valid` while that is `False` for this generation.
    pub problem: Option<String>,
    /// The message of `RolloutHalted` while that is `True`.
    pub halted: Option<String>,
    /// Its maintenance window now.
    pub window: WindowState,
}
