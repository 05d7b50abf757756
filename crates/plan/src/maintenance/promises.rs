//! Promises that owners believe to have given to their pods and that cannot be read: they protect nothing, and people
//! should hear of that before the pod is gone.

use crds::gpu_node::PodReference;
use crds::names;

use super::EventKind;
use super::turn::Turn;
use crate::drain::Assessment;
use crate::pod::{PodView, Protection};
use crate::quoted::quoted;
use crate::reason::Reason;

/// Names in the plan the pods that must leave although their owners may think otherwise, and tells of each once: on the
/// node for its administrators, on the pod for its owner.
pub(super) fn tell(turn: &mut Turn, assessment: &Assessment) {
    let broken = broken(assessment);
    let known = turn.seen.maintenance.plan.as_ref();
    let is_known = |entry: &String| known.is_some_and(|plan| plan.unprotected.contains(entry));
    for (pod, entry) in broken.iter().filter(|(_, entry)| !is_known(entry)) {
        let key = names::ANNOTATION_DO_NOT_EVICT;
        let message = format!(
            "a pod is not protected by its annotation {key}, {entry}; write true or a duration such as 30m"
        );
        turn.warn(Reason::ProtectionUnreadable, message.clone());
        turn.tell_owner(
            pod,
            EventKind::Warning,
            Reason::ProtectionUnreadable,
            message,
        );
    }
    if let Some(plan) = &mut turn.status.plan {
        plan.unprotected = broken.into_iter().map(|(_, entry)| entry).collect();
    }
}

/// Pods that must leave, each with its name and the text that cannot be read.
fn broken(assessment: &Assessment) -> Vec<(PodReference, String)> {
    let leave = assessment.victims.iter().chain(&assessment.undecided);
    let mut found: Vec<_> = leave.filter_map(|pod| entry(pod)).collect();
    found.sort();
    found
}

fn entry(pod: &PodView) -> Option<(PodReference, String)> {
    match &pod.protection {
        Protection::Unreadable(text) => {
            let text = quoted(text).unwrap_or_default();
            let entry = format!("{}: {text:?}", pod.name());
            Some((pod.reference.clone(), entry))
        }
        Protection::None | Protection::Always | Protection::For(_) => None,
    }
}
