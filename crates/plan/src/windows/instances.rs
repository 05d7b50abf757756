//! The instances of windows one by one, for people who want to see them before they trust them.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::rule::Rule;
use super::{Schedule, WindowState};

/// One instance of one window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The window: its index in `spec.maintenance.windows`.
    pub window: usize,
    /// The window's time zone.
    pub zone: TimeZone,
    /// Its first moment.
    pub start: Timestamp,
    /// The first moment after it.
    pub end: Timestamp,
    /// What blackouts leave of it, in order; each without its end. All of it where there are none.
    pub open: Vec<(Timestamp, Timestamp)>,
}

/// Why a window is hardly what was meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// There is no such day.
    NeverOpens,
    /// It lasts only so long.
    TooShort(SignedDuration),
}

impl Schedule {
    /// The instances of all windows that have a moment in `from..until`, by their start. Without windows there are none,
    /// although it is always open.
    pub fn instances(&self, from: Timestamp, until: Timestamp) -> Vec<Instance> {
        let of = |(window, rule)| self.instances_of(window, rule, from, until);
        let mut all: Vec<_> = self.rules.iter().enumerate().flat_map(of).collect();
        all.sort_by_key(|instance| (instance.start, instance.window));
        all
    }

    /// Whether an operation that needs so much time could begin at some moment of the instance. Windows that overlap or
    /// touch are one: an instance that is too short for itself may be part of one that is not.
    pub fn admits_in(&self, instance: &Instance, need: SignedDuration) -> bool {
        let mut open = instance.open.iter();
        open.any(|(start, _)| self.lasts(*start, need))
    }

    /// What is odd about each window, by its index, if anything is: it never opens after `now`, or an operation that needs so
    /// much time never begins because of it.
    pub fn oddities(&self, now: Timestamp, need: SignedDuration) -> Vec<(usize, Oddity)> {
        // A blackout that cuts an instance short says nothing about its window.
        let bare = Self {
            rules: self.rules.clone(),
            blackouts: Vec::new(),
        };
        let rules = self.rules.iter().enumerate();
        rules
            .filter_map(|(window, rule)| Some((window, bare.oddity(rule, now, need)?)))
            .collect()
    }

    fn oddity(&self, rule: &Rule, now: Timestamp, need: SignedDuration) -> Option<Oddity> {
        let begun = rule.last_start(now).filter(|start| rule.end(*start) > now);
        let Some(start) = rule.next_start(now).or(begun) else {
            return Some(Oddity::NeverOpens);
        };
        // Windows that overlap or touch are one: the whole of them is what is too short.
        match self.at(start) {
            WindowState::Open { start, end } if end.duration_since(start) < need => {
                Some(Oddity::TooShort(end.duration_since(start)))
            }
            WindowState::Always | WindowState::Open { .. } | WindowState::Closed { .. } => None,
        }
    }

    fn instances_of(
        &self,
        window: usize,
        rule: &Rule,
        from: Timestamp,
        until: Timestamp,
    ) -> Vec<Instance> {
        let mut starts = begun(rule, from);
        let mut moment = from;
        while let Some(start) = rule.next_start(moment).filter(|start| *start < until) {
            starts.push(start);
            moment = start;
        }
        let instance = |start| {
            let end = rule.end(start);
            Instance {
                window,
                zone: rule.zone.clone(),
                start,
                end,
                open: self.without_blackouts(start, end),
            }
        };
        starts.into_iter().map(instance).collect()
    }

    fn without_blackouts(&self, start: Timestamp, end: Timestamp) -> Vec<(Timestamp, Timestamp)> {
        let mut open = vec![(start, end)];
        for blackout in &self.blackouts {
            let rest = |(start, end): (Timestamp, Timestamp)| {
                let before = (start, end.min(blackout.from));
                let after = (start.max(blackout.to), end);
                [before, after]
            };
            open = open.into_iter().flat_map(rest).collect();
            open.retain(|(start, end)| start < end);
        }
        open
    }
}

/// Starts, at `from` or before, of instances that are not over at `from`. Instances of fixed length may be on several at
/// a time.
fn begun(rule: &Rule, from: Timestamp) -> Vec<Timestamp> {
    let mut starts = Vec::new();
    let mut latest = rule.last_start(from);
    while let Some(start) = latest.filter(|start| rule.end(*start) > from) {
        starts.push(start);
        let nanosecond = SignedDuration::from_nanos(1);
        let before = start.checked_sub(nanosecond).ok();
        latest = before.and_then(|before| rule.last_start(before));
    }
    starts.reverse();
    starts
}
