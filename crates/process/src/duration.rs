//! Lengths of time as people write them on a command line: `15s`, `2h30m`.

use std::time::Duration;

use jiff::SignedDuration;

/// Why a text is not a duration that a flag takes.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// The text has no unit, an unknown one, or one whose length depends on the calendar.
    #[error(
        "`{0}` is not a duration; write a number and a unit, such as 500ms, 15s, 10m or 2h30m \
         (the largest unit is the hour)"
    )]
    Malformed(String),
    /// Zero, or less.
    #[error("`{0}` is not longer than zero; give a positive duration such as 15s")]
    NotPositive(String),
    /// Less than zero.
    #[error("`{0}` is shorter than nothing; give 0s or a duration such as 15s")]
    Negative(String),
}

/// Parses a positive duration in jiff's friendly format (`15s`, `1m 30s`, `2h30m`) or ISO 8601
/// (`PT15S`). Meant as clap's `value_parser`.
///
/// Days and longer are refused: their length depends on the calendar.
pub fn positive(text: &str) -> Result<Duration, DurationError> {
    match Duration::try_from(parse(text)?) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        Ok(_) | Err(_) => Err(DurationError::NotPositive(text.to_owned())),
    }
}

/// The same, and `0s` as well.
pub fn not_negative(text: &str) -> Result<Duration, DurationError> {
    let parsed = Duration::try_from(parse(text)?);
    parsed.map_err(|_| DurationError::Negative(text.to_owned()))
}

fn parse(text: &str) -> Result<SignedDuration, DurationError> {
    let parsed = text.parse();
    parsed.map_err(|_| DurationError::Malformed(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("15s", 15),
            ("2h30m", 9000),
            ("1m 30s", 90),
            ("PT15S", 15),
            ("1 hour", 3600),
        ] {
            assert_eq!(positive(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(positive("500ms"), Ok(Duration::from_millis(500)));
    }

    #[test]
    fn what_is_not_a_positive_duration_is_refused_with_an_example() {
        for text in [
            "",
            "15",
            "s",
            "1 fortnight",
            "1mo",
            "2d",
            "99999999999999999999h",
        ] {
            assert_eq!(
                positive(text),
                Err(DurationError::Malformed(text.to_owned())),
                "{text}"
            );
        }
        for text in ["0s", "-5s", "5s ago"] {
            assert_eq!(
                positive(text),
                Err(DurationError::NotPositive(text.to_owned())),
                "{text}"
            );
        }
    }

    #[test]
    fn no_time_at_all_is_a_duration_only_where_it_makes_sense() {
        assert_eq!(not_negative("0s"), Ok(Duration::ZERO));
        assert_eq!(not_negative("90s"), Ok(Duration::from_secs(90)));
        let refused = |text: &str| not_negative(text).unwrap_err();
        assert_eq!(refused("-5s"), DurationError::Negative("-5s".to_owned()));
        assert_eq!(refused("2d"), DurationError::Malformed("2d".to_owned()));
    }
}
