//! How often each object has failed in a row, so that a sick one is tried less and less and never holds up the others.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Wait after the first failure; doubles with each further one.
const FIRST: Duration = Duration::from_secs(1);
/// The longest wait.
const LONGEST: Duration = Duration::from_mins(1);

/// Failures in a row, by object.
#[derive(Debug, Default)]
pub struct Failures {
    by_name: Mutex<HashMap<String, Failing>>,
}

/// An object that fails.
#[derive(Debug)]
struct Failing {
    times: u32,
    text: String,
}

/// What to do about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed {
    /// When to try again.
    pub wait: Duration,
    /// It differs from the failure before: tell people.
    pub is_news: bool,
}

impl Failures {
    /// Counts a failure of `name`, described by `text`.
    pub fn failed(&self, name: &str, text: &str) -> Failed {
        let mut by_name = self.lock();
        let before = by_name.remove(name);
        let times = before.as_ref().map_or(0, |failing| failing.times);
        let is_news = before.is_none_or(|failing| failing.text != text);
        let failing = Failing {
            times: times.saturating_add(1),
            text: text.to_owned(),
        };
        by_name.insert(name.to_owned(), failing);
        let wait = FIRST.saturating_mul(2_u32.saturating_pow(times));
        Failed {
            wait: wait.min(LONGEST),
            is_news,
        }
    }

    /// Forgets the failures of `name`.
    pub fn succeeded(&self, name: &str) {
        self.lock().remove(name);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Failing>> {
        self.by_name.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_waits_double_up_to_a_minute_and_one_object_does_not_slow_another() {
        let failures = Failures::default();
        let waits: Vec<_> = (0..40)
            .map(|_| failures.failed("n1", "no answer").wait.as_secs())
            .collect();
        assert_eq!(waits[..8], [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(waits[39], 60);
        assert_eq!(failures.failed("n2", "no answer").wait.as_secs(), 1);
        failures.succeeded("n1");
        assert_eq!(failures.failed("n1", "no answer").wait.as_secs(), 1);
    }

    #[test]
    fn the_same_failure_is_news_once() {
        let failures = Failures::default();
        let news = ["a", "a", "b", "b", "a"].map(|text| failures.failed("n1", text).is_news);
        assert_eq!(news, [true, false, true, false, true]);
        failures.succeeded("n1");
        assert!(failures.failed("n1", "a").is_news);
    }
}
