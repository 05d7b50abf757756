//! When the maintenance windows of policies are open: instance by instance, in UTC and in each window's own zone.

mod report;
#[cfg(test)]
mod tests;
mod text;

use jiff::{SignedDuration, SpanRelativeTo, Timestamp};

use crate::args::{Format, WindowsArgs};
use crate::files::{self, Error};
use crate::outcome::{Outcome, json};
use report::Report;

/// The longest stretch that is listed: a window may open every minute.
const MOST: SignedDuration = SignedDuration::from_hours(24 * 366);

/// Lists the instances of the windows of some files' policies.
pub fn run(args: &WindowsArgs) -> Result<Outcome, Error> {
    let mut policies = Vec::new();
    for file in &args.filenames {
        policies.extend(files::policies(file)?);
    }
    let from = args.from.unwrap_or_else(Timestamp::now);
    let until = from.saturating_add(args.length).unwrap_or(Timestamp::MAX);
    let reports: Vec<_> = policies
        .iter()
        .map(|policy| Report::of(policy, from, until))
        .collect();
    Ok(Outcome {
        is_valid: reports.iter().all(Report::is_valid),
        text: match args.output {
            Format::Text => text::of(&reports),
            Format::Json => json(&serde_json::json!({"policies": reports})),
        },
    })
}

/// A stretch of time for the command line: `30d`, `12h`, `2 weeks`. Days have 24 hours here.
pub fn length(text: &str) -> Result<SignedDuration, String> {
    let advice = "write a length of time such as 30d or 12h, of at most 366d";
    let span: jiff::Span = text.parse().map_err(|_| advice.to_owned())?;
    let length = span.to_duration(SpanRelativeTo::days_are_24_hours());
    let sound = length.ok().filter(|it| it.is_positive() && *it <= MOST);
    sound.ok_or_else(|| advice.to_owned())
}
