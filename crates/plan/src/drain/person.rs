//! When waiting does not help.

use crds::gpu_node::BlockedPod;

use crate::reason::Reason;

/// Whether waiting alone does not help: somebody has to do something about the pod, or about what keeps it.
pub fn needs_a_person(block: &BlockedPod) -> bool {
    let reasons = [
        Reason::HopelessDisruptionBudget,
        Reason::MultipleDisruptionBudgets,
        Reason::StuckTerminating,
    ];
    reasons.contains(&Reason::of(&block.reason))
}
