//! Lengths of time as people write them.

use crds::DurationText;
use jiff::SignedDuration;

/// The length of `2h`, `1h30m` or `90s`. None: not of that form, or zero.
pub fn duration(text: &DurationText) -> Option<SignedDuration> {
    let mut seconds: i64 = 0;
    let mut rest = text.0.as_str();
    for (unit, length) in [('h', 3600), ('m', 60), ('s', 1)] {
        if let Some((number, after)) = rest.split_once(unit) {
            // `parse` alone would take a sign.
            let digits = number.bytes().all(|byte| byte.is_ascii_digit());
            let number: u32 = number.parse().ok().filter(|_| digits)?;
            seconds += i64::from(number) * length;
            rest = after;
        }
    }
    (rest.is_empty() && seconds > 0).then(|| SignedDuration::from_secs(seconds))
}

/// A length for a person: `1 h 30 min`, `22 min`, `45 s`.
pub fn spoken(length: SignedDuration) -> String {
    let seconds = length.as_secs();
    let parts = [
        (seconds / 3600, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let parts: Vec<_> = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, unit)| format!("{number} {unit}"))
        .collect();
    if parts.is_empty() {
        "0 s".to_owned()
    } else {
        parts.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_hours_minutes_and_seconds_in_this_order() {
        for (text, seconds) in [
            ("2h", Some(7200)),
            ("1h30m", Some(5400)),
            ("90s", Some(90)),
            ("1h1s", Some(3601)),
            ("0s", None),
            ("", None),
            ("90", None),
            ("30m1h", None),
            ("1.5h", None),
            ("-1h", None),
            ("+1h", None),
            ("1d", None),
            ("99999h99999m99999s", Some(99999 * 3661)),
        ] {
            let length = duration(&text.into()).map(|length| length.as_secs());
            assert_eq!(length, seconds, "{text:?}");
        }
    }

    #[test]
    fn a_person_reads_units() {
        for (seconds, text) in [
            (5400, "1 h 30 min"),
            (1320, "22 min"),
            (45, "45 s"),
            (0, "0 s"),
        ] {
            assert_eq!(spoken(SignedDuration::from_secs(seconds)), text);
        }
    }
}
