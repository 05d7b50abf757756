//! Whether an operation may begin now.

use crds::policy::Maintenance;
use jiff::{SignedDuration, Timestamp};

use super::WindowState;
use super::duration::{duration, spoken};

/// What an operation can need at the most beside its drain: 2 min for the cordon, 5 min for the GPUs, 5 min until the
/// node advertises them.
const WORK: SignedDuration = SignedDuration::from_mins(12);

/// The least that must be left of a window for an operation to begin: `minRemaining` or, unset, the most that an
/// operation can need: the wait for completion, the drain and 12 minutes.
pub fn need(maintenance: &Maintenance) -> SignedDuration {
    if let Some(set) = maintenance.min_remaining.as_ref().and_then(duration) {
        return set;
    }
    let drain = &maintenance.drain;
    let wait = drain.wait_for_completion.as_ref();
    let wait = wait.and_then(|wait| duration(&wait.timeout));
    let parts = [duration(&drain.timeout), wait, Some(WORK)];
    parts
        .into_iter()
        .flatten()
        .fold(SignedDuration::ZERO, SignedDuration::saturating_add)
}

/// Why nothing may begin now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooLate {
    /// When to look again. None: only a change of the policy helps.
    pub until: Option<Timestamp>,
    /// For a person, as the object of "waits for". It is the same at every moment of the wait.
    pub message: String,
}

impl WindowState {
    /// Whether an operation may begin at `now` that needs so much time.
    ///
    /// # Errors
    /// What it has to wait for.
    pub fn admits(&self, now: Timestamp, need: SignedDuration) -> Result<(), TooLate> {
        match self {
            Self::Always => Ok(()),
            Self::Open { end, .. } if end.duration_since(now) >= need => Ok(()),
            Self::Open { start, end } => Err(TooLate {
                until: Some(*end),
                message: left(*start, *end, need),
            }),
            Self::Closed { next, blackout } => Err(TooLate {
                until: next.map(|(start, _)| start),
                message: closed(*next, blackout.as_deref(), need),
            }),
        }
    }

    /// Whether a window is open, whatever is left of it.
    pub const fn is_open(&self) -> bool {
        match self {
            Self::Always | Self::Open { .. } => true,
            Self::Closed { .. } => false,
        }
    }
}

fn left(start: Timestamp, end: Timestamp, need: SignedDuration) -> String {
    if end.duration_since(start) < need {
        return short(start, end, need);
    }
    let need = spoken(need);
    format!(
        "the next maintenance window: this one closes at {end}, and an operation may need {need}"
    )
}

fn closed(
    next: Option<(Timestamp, Timestamp)>,
    blackout: Option<&str>,
    need: SignedDuration,
) -> String {
    let why = blackout.map_or_else(String::new, |blackout| format!(": {blackout}"));
    match next {
        None => format!(
            "a maintenance window, and none will ever open{why}; change spec.maintenance.windows"
        ),
        Some((start, end)) if end.duration_since(start) < need => short(start, end, need),
        Some((start, _)) => format!("the maintenance window that opens at {start}{why}"),
    }
}

fn short(start: Timestamp, end: Timestamp, need: SignedDuration) -> String {
    let (length, need) = (spoken(end.duration_since(start)), spoken(need));
    format!(
        "a longer maintenance window: that of {start} lasts {length}, and an operation may need {need}; \
         lengthen it, or set spec.maintenance.minRemaining or drain.timeout lower"
    )
}
