//! Evictions that are due.

use crds::policy::DrainSettings;

use super::super::super::Effect;
use super::super::super::turn::Turn;
use crate::drain::Assessment;

/// Evicts every victim that is due: each once, and again only if the server did not take it.
pub(super) fn due(turn: &mut Turn, settings: &DrainSettings, assessment: &Assessment) {
    for pod in &assessment.victims {
        let memory = turn.seen.evictions.get(&pod.reference.uid);
        if memory.is_none_or(|memory| memory.is_due(turn.now)) {
            turn.effect(Effect::Evict {
                pod: pod.reference.clone(),
                grace: grace(settings),
            });
        }
    }
}

/// Seconds that a pod gets to end. Never 0: that would take it from the API server before it has ended.
pub(super) fn grace(settings: &DrainSettings) -> Option<i64> {
    settings.grace_period_seconds.map(|seconds| seconds.max(1))
}
