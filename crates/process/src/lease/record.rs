//! What a Lease says, and the Leases that we write.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::ObjectMeta;

/// What others must know to respect a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// Who holds it; `None` when nobody does.
    pub holder: Option<String>,
    /// How long it holds after a renewal; `None` when the record does not say.
    pub duration: Option<Duration>,
    /// When it was renewed by the holder's wall clock: only ever compared for equality.
    pub renewed: Option<Timestamp>,
    /// How often it has changed hands.
    pub transitions: i32,
}

impl Record {
    /// Reads a Lease. An empty holder is no holder; a duration of zero or less is none.
    pub fn of(lease: &Lease) -> Self {
        let spec = lease.spec.clone().unwrap_or_default();
        let seconds = spec
            .lease_duration_seconds
            .and_then(|s| u64::try_from(s).ok());
        Self {
            holder: spec.holder_identity.filter(|holder| !holder.is_empty()),
            duration: seconds.filter(|s| *s > 0).map(Duration::from_secs),
            renewed: spec.renew_time.map(|time| time.0),
            transitions: spec.lease_transitions.unwrap_or(0),
        }
    }
}

/// A Lease that does not exist yet, held by `me`.
pub(super) fn first(name: &str, me: &str, duration: Duration, now: Timestamp) -> Lease {
    let metadata = ObjectMeta {
        name: Some(name.to_owned()),
        ..ObjectMeta::default()
    };
    let mut lease = Lease {
        metadata,
        spec: None,
    };
    hold(&mut lease, me, duration, now);
    lease
}

/// This Lease, taken by `me` from whoever held it.
pub(super) fn taken(mut lease: Lease, me: &str, duration: Duration, now: Timestamp) -> Lease {
    let spec = lease.spec.get_or_insert_default();
    spec.lease_transitions = Some(spec.lease_transitions.unwrap_or(0).saturating_add(1));
    hold(&mut lease, me, duration, now);
    lease
}

/// This Lease, held a little longer by who holds it.
pub(super) fn renewed(mut lease: Lease, duration: Duration, now: Timestamp) -> Lease {
    let spec = lease.spec.get_or_insert_default();
    spec.renew_time = Some(later(spec.renew_time.as_ref(), now));
    spec.lease_duration_seconds = Some(whole_seconds(duration));
    lease
}

/// This Lease, free for anybody at once. The API wants a duration of at least 1 s.
pub(super) fn released(mut lease: Lease, now: Timestamp) -> Lease {
    let spec = lease.spec.get_or_insert_default();
    spec.holder_identity = Some(String::new());
    spec.lease_duration_seconds = Some(1);
    spec.renew_time = Some(later(spec.renew_time.as_ref(), now));
    lease
}

fn hold(lease: &mut Lease, me: &str, duration: Duration, now: Timestamp) {
    let spec = lease.spec.get_or_insert_default();
    let time = later(spec.renew_time.as_ref(), now);
    *spec = LeaseSpec {
        holder_identity: Some(me.to_owned()),
        lease_duration_seconds: Some(whole_seconds(duration)),
        acquire_time: Some(time.clone()),
        renew_time: Some(time),
        lease_transitions: Some(spec.lease_transitions.unwrap_or(0)),
        ..spec.clone()
    };
}

/// `now`, or just after `previous` if the wall clock was set back: each renewal must be seen as a
/// change by those who watch for one. The API keeps microseconds.
fn later(previous: Option<&MicroTime>, now: Timestamp) -> MicroTime {
    let next = previous.and_then(|p| p.0.checked_add(SignedDuration::from_micros(1)).ok());
    MicroTime(next.map_or(now, |next| next.max(now)))
}

fn whole_seconds(duration: Duration) -> i32 {
    let up = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    i32::try_from(up).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_millis(14_100);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_lease_goes_through_its_life() {
        let lease = first("l", "a", TTL, at(100));
        let held = Record::of(&lease);
        assert_eq!(held.holder.as_deref(), Some("a"));
        assert_eq!(held.duration, Some(Duration::from_secs(15)), "rounded up");
        assert_eq!((held.renewed, held.transitions), (Some(at(100)), 0));

        let lease = renewed(lease, TTL, at(102));
        assert_eq!(Record::of(&lease).renewed, Some(at(102)));

        let lease = released(lease, at(103));
        let free = Record::of(&lease);
        assert_eq!(
            (free.holder, free.duration),
            (None, Some(Duration::from_secs(1)))
        );

        let lease = taken(lease, "b", TTL, at(104));
        let held = Record::of(&lease);
        assert_eq!((held.holder.as_deref(), held.transitions), (Some("b"), 1));
        assert_eq!(lease.spec.unwrap().acquire_time, Some(MicroTime(at(104))));
    }

    #[test]
    fn a_renewal_is_a_change_even_if_the_wall_clock_was_set_back() {
        let lease = first("l", "a", TTL, at(100));
        for now in [at(50), at(100)] {
            let again = renewed(lease.clone(), TTL, now);
            assert_ne!(Record::of(&again), Record::of(&lease), "{now}");
        }
    }

    #[test]
    fn a_record_without_content_is_held_by_nobody() {
        let nobody = Record {
            holder: None,
            duration: None,
            renewed: None,
            transitions: 0,
        };
        assert_eq!(Record::of(&Lease::default()), nobody);
        let spec = LeaseSpec {
            lease_duration_seconds: Some(-1),
            ..LeaseSpec::default()
        };
        let lease = Lease {
            spec: Some(spec),
            ..Lease::default()
        };
        assert_eq!(Record::of(&lease), nobody);
    }
}
