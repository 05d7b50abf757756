//! What is remembered of an eviction until its pod is gone.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use crds::gpu_node::{BlockedPod, PodReference};
use jiff::{SignedDuration, Timestamp};

use super::Reply;
use crate::reason::Reason;

/// How the eviction of one pod went so far. The operator keeps one per pod UID in memory while a drain is under way,
/// writes it with [`EvictionMemory::after`] and forgets it when the node leaves phase `Draining`. Losing it (a restart)
/// costs one more attempt, never a second eviction of an ending pod: that is seen on the pod itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvictionMemory {
    /// The pod.
    pub pod: PodReference,
    /// The server took the eviction.
    pub accepted: bool,
    /// It was not asked for an eviction but for a deletion, past the budgets.
    pub forced: bool,
    /// Attempts that the server did not take.
    pub refused: u32,
    /// When it may be tried again.
    pub next: Timestamp,
    /// What stands in the way, if the latest answer says so.
    pub block: Option<BlockedPod>,
}

impl EvictionMemory {
    /// What to remember after an answer. `None`: nothing, the pod is gone or must be looked at afresh.
    pub fn after(
        previous: Option<&Self>,
        pod: &PodReference,
        reply: &Reply,
        now: Timestamp,
    ) -> Option<Self> {
        let refused = previous.map_or(0, |memory| memory.refused);
        let remember = |accepted: bool, refused: u32, wait: Duration| Self {
            pod: pod.clone(),
            accepted,
            forced: false,
            refused,
            next: later(now, wait),
            block: block(pod, reply),
        };
        match reply {
            Reply::Accepted => Some(remember(true, refused, Duration::ZERO)),
            Reply::Gone | Reply::Stale => None,
            // The server knows when it will have counted again: asking later than that is a loss.
            Reply::Budget { after, .. } => {
                let wait = after.unwrap_or_else(|| back_off(pod, refused)).min(LONGEST);
                Some(remember(false, refused.saturating_add(1), wait))
            }
            Reply::Throttled(after) => {
                let wait = back_off(pod, refused)
                    .max(after.unwrap_or_default())
                    .min(LONGEST);
                Some(remember(false, refused.saturating_add(1), wait))
            }
            Reply::NamespaceEnding | Reply::Failed(_) => {
                let wait = back_off(pod, refused);
                Some(remember(false, refused.saturating_add(1), wait))
            }
            Reply::Budgets(_) | Reply::BrokenBudget(_) | Reply::Forbidden(_) => {
                Some(remember(false, refused.saturating_add(1), SLOWEST))
            }
        }
    }

    /// The same of a deletion past the budgets.
    #[must_use]
    pub fn of_deletion(self) -> Self {
        Self {
            forced: true,
            ..self
        }
    }

    /// Whether the pod may be evicted (again) now.
    pub fn is_due(&self, now: Timestamp) -> bool {
        let wait = self.next.duration_since(now);
        // A longer wait than any was written by a clock that has been set back since.
        !self.accepted && (!wait.is_positive() || wait.unsigned_abs() > LONGEST)
    }

    /// Whether the pod may be deleted past its budgets (again) now: at once after an eviction, whatever came of that.
    pub fn is_due_by_force(&self, now: Timestamp) -> bool {
        !self.forced || self.is_due(now)
    }
}

const FASTEST: Duration = Duration::from_secs(5);
const SLOWEST: Duration = Duration::from_secs(30);
/// The longest wait that a server gets by asking for it: a drain has a deadline, by default 10 min.
const LONGEST: Duration = Duration::from_mins(5);

/// 5 s, 10 s, 20 s, 30 s, each up to a fifth longer: spread by the pod's UID and the attempt, so that pods of one budget
/// do not all ask at the same moment.
fn back_off(pod: &PodReference, refused: u32) -> Duration {
    let wait = FASTEST
        .saturating_mul(2_u32.saturating_pow(refused))
        .min(SLOWEST);
    let mut hasher = DefaultHasher::new();
    (&pod.uid, refused).hash(&mut hasher);
    let share = u32::try_from(hasher.finish() % 200).unwrap_or_default();
    wait + wait * share / 1000
}

fn later(now: Timestamp, wait: Duration) -> Timestamp {
    SignedDuration::try_from(wait)
        .ok()
        .and_then(|wait| now.saturating_add(wait).ok())
        .unwrap_or(now)
}

fn block(pod: &PodReference, reply: &Reply) -> Option<BlockedPod> {
    let (reason, message) = match reply {
        Reply::Accepted | Reply::Gone | Reply::Stale | Reply::NamespaceEnding => return None,
        Reply::Budget { message, .. } => (Reason::DisruptionBudget, message.clone()),
        Reply::BrokenBudget(message) => (
            Reason::DisruptionBudget,
            format!(
                "{message}. See whether kube-controller-manager counts this budget, and who else writes its status"
            ),
        ),
        Reply::Budgets(message) => (
            Reason::MultipleDisruptionBudgets,
            format!("{message} Leave the pod one budget"),
        ),
        Reply::Throttled(_) => (
            Reason::Throttled,
            "the API server asks to slow down".to_owned(),
        ),
        Reply::Forbidden(message) => (Reason::Forbidden, message.clone()),
        Reply::Failed(message) => (Reason::Error, message.clone()),
    };
    Some(BlockedPod {
        pod: format!("{}/{}", pod.namespace, pod.name),
        reason: reason.as_str().to_owned(),
        message,
    })
}
