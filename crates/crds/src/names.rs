//! The names that this project writes on objects which it shares with others.

/// The API group of both kinds.
pub const GROUP: &str = "gpusharing.dev";

/// Field manager of everything that the operator applies.
pub const OPERATOR_MANAGER: &str = "gpu-sharing-operator";
/// Field manager of `spec.unschedulable` when the operator cordons: an uncordon is ours to make only while
/// `managedFields` still gives the field to this name.
pub const CORDON_MANAGER: &str = "gpu-sharing-operator-cordon";
/// Field manager of `GpuNode.status.agent`.
pub const AGENT_MANAGER: &str = "gpu-sharing-agent";

/// Node annotation: id of the operation that cordoned the node. Written and removed in the same patch as the cordon.
pub const ANNOTATION_OPERATION: &str = "gpusharing.dev/maintenance-op";
/// Node annotation: `true` if the node was cordoned by somebody else when the operation began.
pub const ANNOTATION_PRE_CORDONED: &str = "gpusharing.dev/pre-cordoned";
/// Node annotation that a person sets: start nothing here, and do not uncordon what is under way.
pub const ANNOTATION_HOLD: &str = "gpusharing.dev/hold";
/// Node annotation that a person changes to any new value: forget the back-off and try again now.
pub const ANNOTATION_RETRY: &str = "gpusharing.dev/retry";
/// Node annotation: the operator has taken the node from NVIDIA's MIG Manager; its value is that of
/// [`LABEL_MIG_MANAGER`] before, empty if there was none. Written and removed in the same patch as that label.
pub const ANNOTATION_MIG_MANAGER: &str = "gpusharing.dev/mig-manager-before";
/// What annotations of the device plugin's `ConfigMap` begin with that say since when one of its keys is there; the key follows.
pub const ANNOTATION_PUBLISHED_PREFIX: &str = "published.gpusharing.dev/";
/// Pod annotation: `true`, or a duration since the pod's start during which it must not be evicted.
pub const ANNOTATION_DO_NOT_EVICT: &str = "gpusharing.dev/do-not-evict";

/// Taint of a node under maintenance, effect `NoSchedule`.
pub const TAINT_MAINTENANCE: &str = "gpusharing.dev/maintenance";

/// Node label: the sharing strategy in effect.
pub const LABEL_STRATEGY: &str = "gpusharing.dev/strategy";
/// Node label: what keeps the memory of two sharers apart.
pub const LABEL_MEMORY_ISOLATION: &str = "gpusharing.dev/memory-isolation";
/// Node label: what keeps a fault of one sharer from the others.
pub const LABEL_FAULT_ISOLATION: &str = "gpusharing.dev/fault-isolation";
/// Node label: the most pods that share one GPU or one slice.
pub const LABEL_MAX_SHARERS: &str = "gpusharing.dev/max-sharers";
/// Node label: the policy in effect.
pub const LABEL_POLICY: &str = "gpusharing.dev/policy";
/// The labels that say what a node's GPUs guarantee: withdrawn before a change, set after verification.
pub const GUARANTEE_LABELS: [&str; 5] = [
    LABEL_STRATEGY,
    LABEL_MEMORY_ISOLATION,
    LABEL_FAULT_ISOLATION,
    LABEL_MAX_SHARERS,
    LABEL_POLICY,
];

/// Node label that NVIDIA's device plugin reads its configuration key from (its config-manager sidecar).
pub const LABEL_PLUGIN_CONFIG: &str = "nvidia.com/device-plugin.config";
/// Node label of NVIDIA's GPU operator: its MIG Manager runs on the node while this is `true`. A value that is there is left
/// alone (`NVIDIA/gpu-operator` v26.7.0, `controllers/state_manager.go`).
pub const LABEL_MIG_MANAGER: &str = "nvidia.com/gpu.deploy.mig-manager";
/// Node labels of NVIDIA's GPU operator by which programs run on the node that keep its GPUs open, those that NVIDIA's MIG Manager
/// pauses (`NVIDIA/mig-parted` v0.15.0, `pkg/mig/reconfigure/reconfigure.go:371-386`). Each runs while its label is `true`.
pub const GPU_CLIENT_LABELS: [&str; 6] = [
    "nvidia.com/gpu.deploy.client",
    "nvidia.com/gpu.deploy.dcgm",
    "nvidia.com/gpu.deploy.dcgm-exporter",
    "nvidia.com/gpu.deploy.device-plugin",
    "nvidia.com/gpu.deploy.gpu-feature-discovery",
    "nvidia.com/gpu.deploy.nvsm",
];
/// Value of such a label while the operator keeps the program away. It was `true` before, and will be again.
pub const GPU_CLIENT_PAUSED: &str = "paused-for-gpu-sharing";
/// Prefix of the resources that NVIDIA's device plugin advertises.
pub const RESOURCE_PREFIX: &str = "nvidia.com/";
