//! What a contender does next, from what it has seen; pure.

use std::time::Duration;

use tokio::time::Instant;

use super::record::Record;

/// A record, and since when it has been seen like this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sighting {
    pub record: Record,
    /// When the record was first seen as it is, by the local monotonic clock.
    pub since: Instant,
}

impl Sighting {
    /// The sighting after a look that ended at `now`: the time starts anew only if the record has
    /// changed.
    pub fn next(previous: Option<Self>, record: Record, now: Instant) -> Self {
        match previous {
            Some(same) if same.record == record => same,
            Some(_) | None => Self { record, since: now },
        }
    }
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// There is no lease: create it.
    Create,
    /// Nobody holds it, or its holder has fallen silent: take it.
    Acquire,
    /// We hold it: say so again.
    Renew,
    /// Another holds it, at least until then unless it renews or releases it.
    Wait { holder: String, until: Instant },
}

/// Decides what `me` does about the lease as last seen (`None`: it does not exist).
///
/// Only the local monotonic clock counts: a lease of another has run out when its record has been
/// seen unchanged for the duration it claims, or `assumed` if it claims none.
pub(super) fn decide(me: &str, seen: Option<&Sighting>, now: Instant, assumed: Duration) -> Action {
    let Some(Sighting { record, since }) = seen else {
        return Action::Create;
    };
    match &record.holder {
        None => Action::Acquire,
        Some(holder) if holder == me => Action::Renew,
        Some(holder) => {
            let until = *since + record.duration.unwrap_or(assumed);
            if now >= until {
                return Action::Acquire;
            }
            Action::Wait {
                holder: holder.clone(),
                until,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    const ME: &str = "pod-0_b";
    const ASSUMED: Duration = Duration::from_secs(15);

    fn held_by(holder: &str) -> Record {
        Record {
            holder: Some(holder.to_owned()),
            duration: Some(Duration::from_secs(10)),
            renewed: Some(Timestamp::from_second(1000).unwrap()),
            transitions: 3,
        }
    }

    #[test]
    fn what_is_seen_decides() {
        let since = Instant::now();
        let after = |seconds| since + Duration::from_secs(seconds);
        let wait = |holder: &str, seconds| Action::Wait {
            holder: holder.to_owned(),
            until: after(seconds),
        };
        let free = Record {
            holder: None,
            ..held_by("")
        };
        let endless = Record {
            duration: None,
            ..held_by("pod-1_a")
        };
        let future = Record {
            renewed: Some(Timestamp::MAX),
            ..held_by("pod-1_a")
        };
        let past = Record {
            renewed: Some(Timestamp::MIN),
            ..held_by("pod-1_a")
        };
        let never = Record {
            renewed: None,
            ..held_by("pod-1_a")
        };
        let rows = [
            ("ours", held_by(ME), 0, Action::Renew),
            ("ours, and long not renewed", held_by(ME), 99, Action::Renew),
            (
                "just seen with another",
                held_by("pod-1_a"),
                0,
                wait("pod-1_a", 10),
            ),
            (
                "another's last moment",
                held_by("pod-1_a"),
                9,
                wait("pod-1_a", 10),
            ),
            (
                "another fell silent",
                held_by("pod-1_a"),
                10,
                Action::Acquire,
            ),
            (
                "another, silent for long",
                held_by("pod-1_a"),
                99,
                Action::Acquire,
            ),
            (
                "the same pod before its restart",
                held_by("pod-0_a"),
                9,
                wait("pod-0_a", 10),
            ),
            (
                "the same pod, gone for good",
                held_by("pod-0_a"),
                10,
                Action::Acquire,
            ),
            ("released", free, 0, Action::Acquire),
            (
                "no duration: ours is assumed",
                endless.clone(),
                14,
                wait("pod-1_a", 15),
            ),
            ("no duration, silent", endless, 15, Action::Acquire),
            (
                "its clock is ahead, and it is silent",
                future,
                10,
                Action::Acquire,
            ),
            (
                "its clock is behind, and it lives",
                past,
                9,
                wait("pod-1_a", 10),
            ),
            ("it never wrote a time", never, 9, wait("pod-1_a", 10)),
        ];
        for (row, record, seconds, action) in rows {
            let seen = Sighting { record, since };
            assert_eq!(
                decide(ME, Some(&seen), after(seconds), ASSUMED),
                action,
                "{row}"
            );
        }
        assert_eq!(decide(ME, None, since, ASSUMED), Action::Create, "no lease");
    }

    #[test]
    fn only_a_change_of_the_record_starts_the_time_anew() {
        let start = Instant::now();
        let later = start + Duration::from_secs(5);
        let first = Sighting::next(None, held_by("a"), start);
        let same = Sighting::next(Some(first.clone()), held_by("a"), later);
        assert_eq!(same, first);
        let renewed = Timestamp::from_second(1002).ok();
        for changed in [
            Record {
                renewed,
                ..held_by("a")
            },
            held_by("c"),
        ] {
            let seen = Sighting::next(Some(first.clone()), changed, later);
            assert_eq!(seen.since, later);
        }
    }
}
