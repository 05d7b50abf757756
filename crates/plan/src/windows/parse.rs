//! From a policy's text to a schedule.

use crds::DurationText;
use crds::policy::{Maintenance, MaintenanceWindow};
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::duration::duration;
use super::rule::{Ends, Rule, Starts};
use super::schedule::{Schedule, Span};
use crate::resolve::{Problem, ProblemReason};

impl Schedule {
    /// Reads windows and blackouts.
    ///
    /// # Errors
    /// Everything that is wrong, each with the path of its field. Nothing is open while there is a problem.
    pub fn parse(maintenance: &Maintenance) -> Result<Self, Vec<Problem>> {
        let (mut rules, mut problems) = (Vec::new(), Vec::new());
        for (index, window) in maintenance.windows.iter().enumerate() {
            match rule(window, &format!("spec.maintenance.windows[{index}]")) {
                Ok(rule) => rules.push(rule),
                Err(problem) => problems.push(problem),
            }
        }
        let blackouts = maintenance.blackouts.iter().map(|blackout| Span {
            from: blackout.from.0,
            to: blackout.to.0,
            reason: blackout.reason.clone(),
        });
        if problems.is_empty() {
            Ok(Self {
                rules,
                blackouts: blackouts.collect(),
            })
        } else {
            Err(problems)
        }
    }
}

fn rule(window: &MaintenanceWindow, path: &str) -> Result<Rule, Problem> {
    let zone = TimeZone::get(&window.time_zone).map_err(|_| {
        let zone = &window.time_zone;
        let message = format!(
            "there is no time zone {zone:?}; write an IANA name such as Europe/Berlin or UTC"
        );
        Problem::new(
            ProblemReason::UnknownTimeZone,
            format!("{path}.timeZone"),
            message,
        )
    })?;
    let (starts, ends) = match (&window.cron, &window.start) {
        (Some(cron), _) => (
            by_cron(cron, path)?,
            length(window.duration.as_ref(), path)?,
        ),
        (None, Some(start)) => daily(window, start, path)?,
        (None, None) => {
            let message = "a window needs start (with end or duration) or cron (with duration)";
            return Err(Problem::new(ProblemReason::BadWindow, path, message));
        }
    };
    Ok(Rule { starts, ends, zone })
}

fn daily(window: &MaintenanceWindow, start: &str, path: &str) -> Result<(Starts, Ends), Problem> {
    let starts = Starts::Daily {
        days: window.days.clone(),
        at: time(start, &format!("{path}.start"))?,
    };
    let ends = match &window.end {
        Some(end) => Ends::At(time(end, &format!("{path}.end"))?),
        None => length(window.duration.as_ref(), path)?,
    };
    Ok((starts, ends))
}

fn by_cron(cron: &str, path: &str) -> Result<Starts, Problem> {
    let parser = CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .build();
    parser.parse(cron).map(|cron| Starts::Cron(Box::new(cron))).map_err(|error| {
        let message = format!(
            "cannot read {cron:?} as a cron expression: {error}; write five fields: minute, hour, day of month, month, day of week"
        );
        Problem::new(ProblemReason::BadCron, format!("{path}.cron"), message)
    })
}

fn length(text: Option<&DurationText>, path: &str) -> Result<Ends, Problem> {
    text.and_then(duration).map(Ends::After).ok_or_else(|| {
        let message = "a length of time longer than zero is needed, such as 2h or 90m";
        Problem::new(
            ProblemReason::BadDuration,
            format!("{path}.duration"),
            message,
        )
    })
}

fn time(text: &str, path: &str) -> Result<Time, Problem> {
    text.parse().map_err(|_| {
        let message = format!("{text:?} is not a time of day; write HH:MM, such as 02:00");
        Problem::new(ProblemReason::BadWindow, path, message)
    })
}
