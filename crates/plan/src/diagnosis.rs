//! Why NVIDIA's device plugin on a node does not do what its configuration says: everything that the API server shows of it,
//! each cause in one sentence with what to do.
//!
//! Where a cause comes from: `NVIDIA/k8s-device-plugin` v0.20.0 (`cmd/config-manager/main.go`, `api/config/v1/flags.go:33`, the
//! chart's `templates/daemonset-device-plugin.yml`) and `NVIDIA/gpu-operator` v26.7.0 (`controllers/object_controls.go`).

mod cluster_policy;
mod plugin_pod;
#[cfg(test)]
mod tests;

pub use cluster_policy::ClusterPolicyView;
pub use plugin_pod::PluginPod;

use std::collections::BTreeSet;

use crds::gpu_node::Target;

use crate::plugin_config;

/// What is known of NVIDIA's device plugin on one node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stack {
    /// Namespace and name of the `ConfigMap` that the operator writes.
    pub config_map: (String, String),
    /// The keys in it.
    pub keys: BTreeSet<String>,
    /// The `ClusterPolicies` of NVIDIA's GPU operator; none without it.
    pub cluster_policies: Vec<ClusterPolicyView>,
    /// The plugin's pods on the node.
    pub pods: Vec<PluginPod>,
}

/// Every cause that is seen for the node not to advertise what the target says, as sentences without full stops; the most
/// likely first. Empty: none is seen.
pub fn causes(stack: &Stack, target: &Target) -> Vec<String> {
    let mut causes = faults(stack, target);
    causes.extend(stack.pods.iter().flat_map(PluginPod::crashes));
    causes
}

/// The plugin's pods on the node, if making them anew is all that is left to try: nothing is seen that only a person can put
/// right, and a `DaemonSet` makes each of them anew. Empty: it is not.
pub fn to_restart<'a>(stack: &'a Stack, target: &Target) -> &'a [PluginPod] {
    let are_made_anew = stack.pods.iter().all(|pod| pod.is_of_daemon_set);
    if are_made_anew && faults(stack, target).is_empty() {
        &stack.pods
    } else {
        &[]
    }
}

/// What only a person can put right.
fn faults(stack: &Stack, target: &Target) -> Vec<String> {
    let mut causes = Vec::new();
    if stack.pods.is_empty() {
        causes.push(
            "no pod of NVIDIA's device plugin runs on the node: install it, or see why its DaemonSet leaves the node out \
             (label nvidia.com/gpu.deploy.device-plugin)"
                .to_owned(),
        );
    }
    let policies = &stack.cluster_policies;
    causes.extend(policies.iter().filter_map(|policy| policy.causes(stack)));
    for pod in &stack.pods {
        causes.extend(pod.causes(stack));
        causes.extend(overruled(stack, pod, target));
    }
    causes
}

/// A variable of the plugin's container beats the file, for all nodes at once. Without slices all strategies come to the
/// same, unless MPS is wanted: with `mixed` the plugin ends at once (`cmd/nvidia-device-plugin/main.go:227-230`).
fn overruled(stack: &Stack, pod: &PluginPod, target: &Target) -> Option<String> {
    let set = pod.mig_strategy.as_ref()?;
    let wanted = plugin_config::mig_strategy(target);
    let is_served = target.gpus.iter().any(|gpu| gpu.through_mps().is_some());
    let what = match (wanted, set.as_str()) {
        ("none", "mixed") if is_served => "with which the plugin refuses MPS".to_owned(),
        ("none", _) => return None,
        (wanted, set) if set == wanted => return None,
        (wanted, _) => format!("which overrules {wanted} in the configuration"),
    };
    let mut policies = stack.cluster_policies.iter();
    let of = policies.find(|policy| policy.mig_strategy.as_ref() == Some(set));
    let remedy = of.map_or_else(
        || "take the variable (migStrategy in the plugin's chart) out".to_owned(),
        |policy| {
            format!(
                "set spec.mig.strategy of ClusterPolicy {} to \"\"",
                policy.name
            )
        },
    );
    Some(format!(
        "pod {} has MIG_STRATEGY={set} in its environment, {what}; {remedy}",
        pod.name
    ))
}
