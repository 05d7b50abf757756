//! Conditions whose transition times change only when their status does.

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, MicroTime, Time};

use crate::reason::Reason;

/// What a condition says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// It cannot be told.
    Unknown,
}

impl Verdict {
    /// As Kubernetes writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

impl From<bool> for Verdict {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

/// Sets a condition. Its transition time stays unless the status changes; the list stays sorted by type, so that equal
/// conditions are equal bytes. The generation is that of before until [`observe`] says otherwise.
pub fn set(
    conditions: &mut Vec<Condition>,
    kind: &str,
    verdict: Verdict,
    reason: Reason,
    message: impl Into<String>,
    now: Timestamp,
) {
    let old = find(conditions, kind);
    let generation = old.and_then(|old| old.observed_generation);
    let since = old
        .filter(|old| old.status == verdict.as_str())
        .map_or_else(|| seconds(now), |old| old.last_transition_time.clone());
    remove(conditions, kind);
    conditions.push(Condition {
        type_: kind.to_owned(),
        status: verdict.as_str().to_owned(),
        reason: reason.as_str().to_owned(),
        message: message.into(),
        observed_generation: generation,
        last_transition_time: since,
    });
    conditions.sort_by(|one, other| one.type_.cmp(&other.type_));
}

/// Says that all conditions, also those that were set earlier, hold for this generation of the object that carries them.
pub fn observe(conditions: &mut [Condition], generation: Option<i64>) {
    for condition in conditions {
        condition.observed_generation = generation;
    }
}

/// Takes a condition away.
pub fn remove(conditions: &mut Vec<Condition>, kind: &str) {
    conditions.retain(|condition| condition.type_ != kind);
}

/// The condition of this type.
pub fn find<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == kind)
}

/// Whether the condition is there and `True`.
pub fn holds(conditions: &[Condition], kind: &str) -> bool {
    find(conditions, kind).is_some_and(|condition| condition.status == Verdict::True.as_str())
}

/// A moment as `Time` keeps it, in whole seconds: what is written equals what is read back.
pub fn seconds(moment: Timestamp) -> Time {
    Time(Timestamp::from_second(moment.as_second()).unwrap_or(moment))
}

/// A moment as `MicroTime` keeps it, in whole microseconds: what is written equals what is read back.
pub fn microseconds(moment: Timestamp) -> MicroTime {
    MicroTime(Timestamp::from_microsecond(moment.as_microsecond()).unwrap_or(moment))
}
