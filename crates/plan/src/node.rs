//! A Kubernetes node as the decisions see it.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crds::names;
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;

use crate::neighbours::Neighbours;

/// What decides about a node. Everything in it comes from one read of one Node object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of the object by itself; together they have no states"
)]
pub struct NodeView {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.uid`.
    pub uid: String,
    /// Condition `Ready` is `True`.
    pub ready: bool,
    /// `spec.unschedulable`: the node is cordoned, by whomever.
    pub unschedulable: bool,
    /// `metadata.managedFields` gives `spec.unschedulable` to [`names::CORDON_MANAGER`]: nobody has written the field
    /// since the operator cordoned.
    pub cordon_is_ours: bool,
    /// The operator's marker: the operation that cordoned the node. A marker that is not a number is operation 0,
    /// which no operation has.
    pub operation: Option<i64>,
    /// The marker's memory: somebody else had cordoned the node before.
    pub pre_cordoned: bool,
    /// The maintenance taint is there.
    pub tainted: bool,
    /// A person asks that nothing be started here and that nothing be uncordoned. Any value but `false` counts.
    pub hold: bool,
    /// A person's retry annotation.
    pub retry: Option<String>,
    /// The key of the device plugin's configuration.
    pub plugin_config: Option<String>,
    /// The guarantee labels that are set ([`names::GUARANTEE_LABELS`]).
    pub guarantees: BTreeMap<String, String>,
    /// Who else has to do with its GPUs, as far as the Node itself shows it.
    pub neighbours: Neighbours,
    /// Allocatable GPU resources of which there are any (see [`is_gpu_resource`]); those at 0 are left out.
    pub resources: BTreeMap<String, i64>,
}

impl NodeView {
    /// The view of a node as it was read.
    pub fn of(node: &Node) -> Self {
        let spec = node.spec.as_ref();
        let annotation = |key: &str| node.metadata.annotations.as_ref()?.get(key).cloned();
        let label = |key: &str| node.metadata.labels.as_ref()?.get(key).cloned();
        let taints = spec.and_then(|spec| spec.taints.as_deref());
        let marked = |key: &str| annotation(key).is_some_and(|value| value != "false");
        Self {
            name: node.metadata.name.clone().unwrap_or_default(),
            uid: node.metadata.uid.clone().unwrap_or_default(),
            ready: is_ready(node),
            unschedulable: spec.and_then(|spec| spec.unschedulable).unwrap_or_default(),
            cordon_is_ours: cordon_is_ours(node.metadata.managed_fields.as_deref()),
            operation: annotation(names::ANNOTATION_OPERATION)
                .map(|id| id.parse().unwrap_or_default()),
            pre_cordoned: marked(names::ANNOTATION_PRE_CORDONED),
            tainted: taints
                .unwrap_or_default()
                .iter()
                .any(|taint| taint.key == names::TAINT_MAINTENANCE),
            hold: marked(names::ANNOTATION_HOLD),
            retry: annotation(names::ANNOTATION_RETRY),
            plugin_config: label(names::LABEL_PLUGIN_CONFIG),
            guarantees: names::GUARANTEE_LABELS
                .into_iter()
                .filter_map(|key| Some((key.to_owned(), label(key)?)))
                .collect(),
            neighbours: Neighbours::of(node),
            resources: resources(node),
        }
    }
}

/// Whether a resource is one that NVIDIA's device plugin hands out GPUs or slices as: `nvidia.com/gpu`,
/// `nvidia.com/gpu.shared`, `nvidia.com/mig-…`. Other vendors' words with the same beginning, such as
/// `nvidia.com/gpumem`, are not.
pub fn is_gpu_resource(name: &str) -> bool {
    name.strip_prefix(names::RESOURCE_PREFIX)
        .is_some_and(|rest| rest == "gpu" || rest.starts_with("gpu.") || rest.starts_with("mig-"))
}

fn is_ready(node: &Node) -> bool {
    node.status
        .as_ref()
        .and_then(|status| status.conditions.as_deref())
        .unwrap_or_default()
        .iter()
        .any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

/// `managedFields` of Kubernetes name a field by its path, each part after `f:`.
fn cordon_is_ours(entries: Option<&[ManagedFieldsEntry]>) -> bool {
    entries.unwrap_or_default().iter().any(|entry| {
        entry.manager.as_deref() == Some(names::CORDON_MANAGER)
            && entry
                .fields_v1
                .as_ref()
                .is_some_and(|fields| fields.0.pointer("/f:spec/f:unschedulable").is_some())
    })
}

fn resources(node: &Node) -> BTreeMap<String, i64> {
    node.status
        .as_ref()
        .and_then(|status| status.allocatable.as_ref())
        .into_iter()
        .flatten()
        .filter(|(name, _)| is_gpu_resource(name))
        .filter_map(|(name, quantity)| Some((name.clone(), quantity.0.parse().ok()?)))
        .filter(|(_, count)| *count > 0)
        .collect()
}
