//! What is found out about one policy's windows: the form of the JSON output.

use crds::GpuSharingPolicy;
use jiff::Timestamp;
use kube::ResourceExt;
use plan::resolve::warnings;
use plan::windows::{Instance, Schedule, WindowState, need, spoken};
use serde::Serialize;

/// One policy's windows.
#[derive(Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The policy's name.
    pub policy: String,
    /// The most time that an operation may need: nothing begins with less than this left.
    pub need: String,
    #[serde(flatten)]
    pub openings: Openings,
    /// What is odd about the windows, seen from the beginning of the time that is listed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// The blackouts that meet the time that is listed.
    pub blackouts: Vec<Blackout>,
}

/// When operations may begin.
#[derive(Debug, Serialize, PartialEq, Eq)]
#[serde(
    tag = "state",
    rename_all = "PascalCase",
    rename_all_fields = "camelCase"
)]
pub enum Openings {
    /// A window cannot be read; nothing is open.
    Invalid { problems: Vec<String> },
    /// There are no windows.
    AlwaysOpen,
    /// No window will ever open.
    NeverOpens,
    /// In these instances.
    Opens {
        instances: Vec<Shown>,
        /// The next opening, if none of the instances listed is open.
        #[serde(skip_serializing_if = "Option::is_none")]
        next: Option<Span>,
    },
}

/// One instance of one window.
#[derive(Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Shown {
    /// Its window: the index in `spec.maintenance.windows`.
    pub window: usize,
    /// The window's time zone.
    pub time_zone: String,
    #[serde(flatten)]
    pub whole: Span,
    /// The same in the window's zone.
    pub local_start: String,
    /// The same in the window's zone.
    pub local_end: String,
    /// What blackouts leave of it.
    pub open: Vec<Span>,
    /// Whether an operation could begin in it.
    pub admits: bool,
}

/// A stretch of time without its end, in UTC.
#[derive(Clone, Copy, Debug, Serialize, PartialEq, Eq)]
pub struct Span {
    pub start: Timestamp,
    pub end: Timestamp,
}

/// A blackout.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub struct Blackout {
    pub from: Timestamp,
    pub to: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Report {
    /// What `policy` says of the time `from..until`.
    pub fn of(policy: &GpuSharingPolicy, from: Timestamp, until: Timestamp) -> Self {
        let rules = &policy.spec.maintenance;
        let blackouts = rules.blackouts.iter().map(|it| Blackout {
            from: it.from.0,
            to: it.to.0,
            reason: it.reason.clone(),
        });
        let need = need(rules);
        let openings = match Schedule::parse(rules) {
            Err(problems) => Openings::Invalid {
                problems: problems.iter().map(ToString::to_string).collect(),
            },
            Ok(_) if rules.windows.is_empty() => Openings::AlwaysOpen,
            Ok(schedule) => {
                let shown = |it: &Instance| Shown::of(it, schedule.admits_in(it, need));
                let instances = schedule.instances(from, until);
                openings(&schedule, instances.iter().map(shown).collect(), from)
            }
        };
        Self {
            policy: policy.name_any(),
            need: spoken(need),
            openings,
            warnings: warnings(rules, from)
                .iter()
                .map(ToString::to_string)
                .collect(),
            blackouts: blackouts
                .filter(|it| it.from < until && from < it.to)
                .collect(),
        }
    }

    /// Whether every window can be read.
    pub const fn is_valid(&self) -> bool {
        match self.openings {
            Openings::Invalid { .. } => false,
            Openings::AlwaysOpen | Openings::NeverOpens | Openings::Opens { .. } => true,
        }
    }
}

fn openings(schedule: &Schedule, instances: Vec<Shown>, from: Timestamp) -> Openings {
    let next = match schedule.at(from) {
        WindowState::Closed { next, .. } => next,
        WindowState::Always | WindowState::Open { .. } => None,
    };
    let is_open_at_all = next.is_some() || schedule.at(from).is_open();
    if !is_open_at_all {
        return Openings::NeverOpens;
    }
    let is_listed = instances.iter().any(|it| !it.open.is_empty());
    let span = |(start, end)| Span { start, end };
    Openings::Opens {
        instances,
        next: next.filter(|_| !is_listed).map(span),
    }
}

impl Shown {
    fn of(instance: &Instance, admits: bool) -> Self {
        let local = |moment: Timestamp| moment.to_zoned(instance.zone.clone()).to_string();
        let name = instance.zone.iana_name().unwrap_or("UTC");
        Self {
            window: instance.window,
            time_zone: name.to_owned(),
            whole: Span {
                start: instance.start,
                end: instance.end,
            },
            local_start: local(instance.start),
            local_end: local(instance.end),
            open: instance
                .open
                .iter()
                .map(|&(start, end)| Span { start, end })
                .collect(),
            admits,
        }
    }
}
