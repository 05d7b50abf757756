//! Windows for a person to read.

use std::fmt::Write as _;

use super::report::{Blackout, Openings, Report, Shown, Span};

/// The reports one after the other.
pub fn of(reports: &[Report]) -> String {
    let mut text = String::new();
    for report in reports {
        // Writing to a String cannot fail.
        let _ = write_one(&mut text, report);
    }
    text
}

fn write_one(text: &mut String, report: &Report) -> std::fmt::Result {
    let Report { policy, need, .. } = report;
    let headline = match &report.openings {
        Openings::Invalid { .. } => "NOT VALID, so nothing is open".to_owned(),
        Openings::AlwaysOpen if report.blackouts.is_empty() => {
            "always open, it has no windows".to_owned()
        }
        Openings::AlwaysOpen => "open but for its blackouts, it has no windows".to_owned(),
        Openings::NeverOpens => "never opens; change spec.maintenance.windows".to_owned(),
        Openings::Opens { .. } => format!("an operation may need {need}"),
    };
    writeln!(text, "policy {policy}: {headline}")?;
    for warning in &report.warnings {
        writeln!(text, "  warning: {warning}")?;
    }
    for blackout in &report.blackouts {
        let Blackout { from, to, .. } = blackout;
        let reason = blackout.reason.as_deref().unwrap_or("no reason given");
        writeln!(text, "  blackout    {from} to {to} ({reason})")?;
    }
    match &report.openings {
        Openings::AlwaysOpen | Openings::NeverOpens => Ok(()),
        Openings::Invalid { problems } => {
            problems.iter().try_for_each(|it| writeln!(text, "  {it}"))
        }
        Openings::Opens { instances, next } => {
            instances.iter().try_for_each(|it| instance(text, it))?;
            match next {
                Some(Span { start, end }) => {
                    writeln!(text, "  not open in this time; next {start} to {end}")
                }
                None => Ok(()),
            }
        }
    }
}

fn instance(text: &mut String, shown: &Shown) -> std::fmt::Result {
    let Shown {
        window,
        local_start,
        local_end,
        whole: Span { start, end },
        ..
    } = shown;
    write!(
        text,
        "  windows[{window}]  {start} to {end}  {local_start} to {local_end}"
    )?;
    match shown.open.as_slice() {
        [] => text.push_str("  closed by a blackout"),
        [whole] if *whole == shown.whole => {}
        parts => {
            text.push_str("  open only");
            for Span { start, end } in parts {
                write!(text, " {start} to {end}")?;
            }
        }
    }
    if !shown.admits && !shown.open.is_empty() {
        text.push_str("  too short for an operation");
    }
    writeln!(text)
}
