//! All windows and blackouts together: open or closed, since when, until when.

use jiff::{SignedDuration, Timestamp};

use super::WindowState;
use super::rule::Rule;

/// So far ahead, and back, an opening is followed. One that goes on beyond it is as good as endless.
const HORIZON: SignedDuration = SignedDuration::from_hours(31 * 24);

/// The start of what has no beginning.
const LONG_AGO: Timestamp = Timestamp::UNIX_EPOCH;

/// How many openings that blackouts swallow are skipped before the search for the next one is given up.
const PATIENCE: usize = 1000;

/// The windows and blackouts of a policy. Made by [`Schedule::parse`].
#[derive(Clone, Debug)]
pub struct Schedule {
    pub(super) rules: Vec<Rule>,
    pub(super) blackouts: Vec<Span>,
}

/// A blackout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) reason: Option<String>,
}

impl Schedule {
    /// Whether operations may begin at `now`.
    pub fn at(&self, now: Timestamp) -> WindowState {
        if !self.covers(now) {
            return WindowState::Closed {
                next: self.next_opening(now),
                blackout: self.blackout(now).map(reason),
            };
        }
        match self.end(now) {
            Some(end) => WindowState::Open {
                start: self.start(now),
                end,
            },
            None => WindowState::Always,
        }
    }

    /// Whether operations that need so much time may begin at `now`. It looks no further ahead than that.
    pub(super) fn lasts(&self, now: Timestamp, need: SignedDuration) -> bool {
        if !self.covers(now) {
            return false;
        }
        let end = self.end_within(now, need);
        end.is_none_or(|end| end.duration_since(now) >= need)
    }

    /// The next moment at which to look again; the state is the same until then. None: it never changes.
    pub fn next_boundary(&self, now: Timestamp) -> Option<Timestamp> {
        if !self.covers(now) {
            return self.next_opening(now).map(|(start, _)| start);
        }
        let endless = self.rules.is_empty() && self.blackouts.iter().all(|span| span.to <= now);
        self.end(now)
            .or_else(|| (!endless).then(|| later(now, HORIZON)))
    }

    /// Whether a window holds `moment` and no blackout does.
    fn covers(&self, moment: Timestamp) -> bool {
        let open = self.rules.is_empty() || self.rule_end(moment).is_some();
        open && self.blackout(moment).is_none()
    }

    fn blackout(&self, moment: Timestamp) -> Option<&Span> {
        let on = |span: &&Span| span.from <= moment && moment < span.to;
        // The one that lasts longest: the others say too early when it is over.
        self.blackouts.iter().filter(on).max_by_key(|span| span.to)
    }

    /// The latest end of the instances that hold `moment`.
    fn rule_end(&self, moment: Timestamp) -> Option<Timestamp> {
        let end = |rule: &Rule| rule.last_start(moment).map(|start| rule.end(start));
        let ends = self.rules.iter().filter_map(end);
        ends.filter(|end| *end > moment).max()
    }

    /// When the opening around `now` is over; none if it goes on from instance to instance beyond the horizon.
    fn end(&self, now: Timestamp) -> Option<Timestamp> {
        self.end_within(now, HORIZON)
    }

    /// The same with another horizon.
    fn end_within(&self, now: Timestamp, horizon: SignedDuration) -> Option<Timestamp> {
        let blackouts = self.blackouts.iter().map(|span| span.from);
        let blackout = blackouts.filter(|from| *from > now).min();
        if self.rules.is_empty() {
            return blackout;
        }
        let horizon = later(now, horizon);
        let mut end = now;
        while let Some(further) = self.rule_end(end) {
            if end > horizon {
                return None;
            }
            end = further;
            if let Some(from) = blackout.filter(|from| *from <= end) {
                return Some(from);
            }
        }
        Some(end)
    }

    /// Since when the opening around `now` lasts; [`LONG_AGO`] if it comes from beyond the horizon, so that the answer
    /// does not move with `now`.
    fn start(&self, now: Timestamp) -> Timestamp {
        let blackouts = self.blackouts.iter().map(|span| span.to);
        let floor = blackouts
            .filter(|to| *to <= now)
            .fold(LONG_AGO, Timestamp::max);
        let horizon = now.saturating_sub(HORIZON).unwrap_or(Timestamp::MIN);
        let Some(mut start) = self.earliest(now) else {
            return floor;
        };
        // The instance that is on, or just over, at the moment before.
        while let Some(further) = self.earliest(before(start)) {
            if start < horizon {
                return floor;
            }
            start = further;
        }
        start.max(floor)
    }

    /// The earliest start of the latest instances that hold `moment`, or end with the nanosecond after it.
    fn earliest(&self, moment: Timestamp) -> Option<Timestamp> {
        let start = |rule: &Rule| {
            let start = rule.last_start(moment)?;
            (rule.end(start) > moment).then_some(start)
        };
        self.rules.iter().filter_map(start).min()
    }

    /// The opening that comes next after `now`, which is outside all.
    fn next_opening(&self, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let mut moment = now;
        for _ in 0..PATIENCE {
            if let Some(blackout) = self.blackout(moment) {
                moment = blackout.to;
            } else if !self.covers(moment) {
                let starts = self.rules.iter().filter_map(|rule| rule.next_start(moment));
                moment = starts.min()?;
            }
            if self.covers(moment) {
                let end = self.end(moment);
                return Some((moment, end.unwrap_or_else(|| later(moment, HORIZON))));
            }
        }
        None
    }
}

fn reason(blackout: &Span) -> String {
    let until = blackout.to;
    match &blackout.reason {
        Some(reason) => format!("a blackout ({reason}) lasts until {until}"),
        None => format!("a blackout lasts until {until}"),
    }
}

fn later(moment: Timestamp, length: SignedDuration) -> Timestamp {
    moment.saturating_add(length).unwrap_or(Timestamp::MAX)
}

fn before(moment: Timestamp) -> Timestamp {
    let nanosecond = SignedDuration::from_nanos(1);
    moment.saturating_sub(nanosecond).unwrap_or(Timestamp::MIN)
}
