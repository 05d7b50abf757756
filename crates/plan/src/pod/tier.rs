//! Who leaves first.

use k8s_openapi::api::core::v1::PodSpec;

/// The tier in which a pod is evicted: the next begins when the last pod of the one before is gone. In that order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Any pod.
    #[default]
    Ordinary,
    /// A pod that others need to end well: network, storage, monitoring.
    SystemCritical,
}

/// Kubernetes gives priorities from here on to its own classes only (`scheduling.SystemCriticalPriority`).
const SYSTEM_CRITICAL: i32 = 2_000_000_000;

impl Tier {
    /// By priority, or by the name of the class where the priority has not been filled in.
    pub(super) fn of(spec: Option<&PodSpec>) -> Self {
        let class = spec.and_then(|spec| spec.priority_class_name.as_deref());
        let is_named = matches!(
            class,
            Some("system-node-critical" | "system-cluster-critical")
        );
        let priority = spec.and_then(|spec| spec.priority);
        if is_named || priority.is_some_and(|priority| priority >= SYSTEM_CRITICAL) {
            Self::SystemCritical
        } else {
            Self::Ordinary
        }
    }
}
