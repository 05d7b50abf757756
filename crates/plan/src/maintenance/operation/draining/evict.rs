//! Evictions that are due.

use crds::policy::DrainSettings;

use super::super::super::Effect;
use super::super::super::turn::Turn;
use crate::drain::Assessment;
use crate::pod::PodView;

/// Evicts every victim whose turn it is: each once, and again only if the server did not take it.
pub(super) fn due(turn: &mut Turn, settings: &DrainSettings, assessment: &Assessment) {
    for pod in assessment.due() {
        let memory = turn.seen.evictions.get(&pod.reference.uid);
        if memory.is_none_or(|memory| memory.is_due(turn.now)) {
            turn.effect(Effect::Evict {
                pod: pod.reference.clone(),
                grace: grace(settings, pod),
            });
        }
    }
}

/// The same past the disruption budgets.
pub(super) fn by_force(turn: &mut Turn, settings: &DrainSettings, assessment: &Assessment) {
    for pod in assessment.due() {
        let memory = turn.seen.evictions.get(&pod.reference.uid);
        if memory.is_none_or(|memory| memory.is_due_by_force(turn.now)) {
            turn.effect(Effect::Delete {
                pod: pod.reference.clone(),
                grace: grace(settings, pod),
            });
        }
    }
}

/// Seconds that a pod gets to end; unset: its own. Never 0, be it the policy's or the pod's: that would take it from the
/// API server before it has ended.
fn grace(settings: &DrainSettings, pod: &PodView) -> Option<i64> {
    let own = || (pod.own_grace < 1).then_some(1);
    let wanted = settings.grace_period_seconds;
    wanted.map(|seconds| seconds.max(1)).or_else(own)
}
