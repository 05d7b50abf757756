//! What a policy may say, and hardly means.

use crds::policy::Maintenance;
use jiff::{SignedDuration, Timestamp};

use crate::admission::is_frozen;
use crate::windows::{Oddity, Schedule, need, spoken};

/// Something that a policy may say, and hardly means. The policy is followed nevertheless.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct Warning {
    /// The field in question, such as `spec.maintenance.windows[0]`.
    pub path: String,
    /// What comes of it and what to write instead, as a sentence without its full stop.
    pub message: String,
}

/// Everything that is odd about when a policy lets nodes be changed, from `now` on. Windows that cannot be read are a
/// problem, and not told again. What is told is the same until a window opens.
pub fn warnings(maintenance: &Maintenance, now: Timestamp) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if is_frozen(&maintenance.max_unavailable) {
        warnings.push(warning(
            "spec.maintenance.maxUnavailable",
            "it is 0, so the policy is frozen: no node is ever taken out of service; write 1 or more, or a percentage \
             such as 10%, which is at least one node",
        ));
    }
    if let Ok(schedule) = Schedule::parse(maintenance) {
        warnings.extend(windows(&schedule, now, need(maintenance)));
    }
    warnings
}

fn windows(schedule: &Schedule, now: Timestamp, need: SignedDuration) -> Vec<Warning> {
    let oddities = schedule.oddities(now, need).into_iter();
    oddities
        .map(|(window, oddity)| {
            let path = format!("spec.maintenance.windows[{window}]");
            warning(path, odd(oddity, need))
        })
        .collect()
}

fn odd(oddity: Oddity, need: SignedDuration) -> String {
    match oddity {
        Oddity::NeverOpens => {
            "it never opens: write a day that exists, such as cron 0 2 28 2 * for the 28th of February".to_owned()
        }
        Oddity::TooShort(length) => format!(
            "it lasts {}, and an operation may need {}, so none ever begins in it; lengthen it, or set \
             spec.maintenance.minRemaining or drain.timeout lower",
            spoken(length),
            spoken(need)
        ),
    }
}

fn warning(path: impl Into<String>, message: impl Into<String>) -> Warning {
    Warning {
        path: path.into(),
        message: message.into(),
    }
}
