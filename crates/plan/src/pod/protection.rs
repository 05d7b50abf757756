//! How long a pod's owner asks that it not be evicted.

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};

/// The do-not-evict annotation of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Not set, or `false`: it may be evicted.
    None,
    /// `true`: it must not be evicted.
    Always,
    /// It must not be evicted until so long after its start.
    For(SignedDuration),
    /// Neither: the text is not understood and protects nothing; the owner should hear of it.
    Unreadable(String),
}

impl Protection {
    /// Reads the annotation: `true`, `false`, or a duration such as `30m` or `2h30m`.
    pub fn parse(value: &str) -> Self {
        match value {
            "true" => Self::Always,
            "false" => Self::None,
            text => duration(text).map_or_else(|| Self::Unreadable(text.to_owned()), Self::For),
        }
    }

    /// Until when the pod is protected. A pod that has not started is protected from `now` on for the whole time.
    pub fn until(&self, started: Option<Timestamp>, now: Timestamp) -> Until {
        match self {
            Self::None | Self::Unreadable(_) => Until::Never,
            Self::Always => Until::Forever,
            Self::For(length) => {
                let end = started.unwrap_or(now).saturating_add(*length);
                end.map_or(Until::Forever, |end| {
                    if end > now {
                        Until::At(end)
                    } else {
                        Until::Never
                    }
                })
            }
        }
    }
}

/// How long a pod is still protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// It is not.
    Never,
    /// Until this moment.
    At(Timestamp),
    /// As long as it lives.
    Forever,
}

fn duration(text: &str) -> Option<SignedDuration> {
    let span: Span = text.parse().ok()?;
    let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    length.is_positive().then_some(length)
}
