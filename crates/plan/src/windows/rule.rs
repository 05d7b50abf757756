//! When one window starts, and when that instance ends.

use crds::policy::Day;
use croner::{Cron, Direction};
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

/// A window. Its instances start at moments; each ends before, or at the moment at which, the next but one starts, or is
/// of the same length as all others. So the instance that started last is the one that ends last.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) starts: Starts,
    pub(super) ends: Ends,
    pub(super) zone: TimeZone,
}

/// When instances start.
#[derive(Clone, Debug)]
pub(super) enum Starts {
    /// At a local time on days of the week. No days: on all.
    Daily { days: Vec<Day>, at: Time },
    /// By a cron expression.
    Cron(Box<Cron>),
}

/// When an instance ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ends {
    /// At a local time: on the day of the start or, if that is not after it, on the next.
    At(Time),
    /// After a length of time, whatever the clocks do.
    After(SignedDuration),
}

/// A weekly rule starts at least once in so many days; days that a zone skips are why there are more than seven.
const WEEK: i32 = 9;

impl Rule {
    /// The latest start at `moment` or before.
    pub(super) fn last_start(&self, moment: Timestamp) -> Option<Timestamp> {
        match &self.starts {
            Starts::Daily { days, at } => (-1..=WEEK)
                .filter_map(|back| self.start_on(days, *at, self.day(moment, -back)?))
                .filter(|start| *start <= moment)
                .max(),
            Starts::Cron(cron) => self.occurrence(cron, moment, true, Direction::Backward),
        }
    }

    /// The first start after `moment`.
    pub(super) fn next_start(&self, moment: Timestamp) -> Option<Timestamp> {
        match &self.starts {
            Starts::Daily { days, at } => (-1..=WEEK)
                .filter_map(|ahead| self.start_on(days, *at, self.day(moment, ahead)?))
                .filter(|start| *start > moment)
                .min(),
            Starts::Cron(cron) => self.occurrence(cron, moment, false, Direction::Forward),
        }
    }

    /// When the instance that starts at `start` is over.
    pub(super) fn end(&self, start: Timestamp) -> Timestamp {
        match (self.ends, &self.starts) {
            (Ends::After(length), _) => start.saturating_add(length).unwrap_or(Timestamp::MAX),
            (Ends::At(end), Starts::Daily { at, .. }) => self.end_at(start, *at, end),
            // Not to be had: parsing gives cron rules a length.
            (Ends::At(_), Starts::Cron(_)) => start,
        }
    }

    /// The end as a local time. The day is that of the start as written: a start in a gap of the clocks may be seen on
    /// the next.
    fn end_at(&self, start: Timestamp, at: Time, end: Time) -> Timestamp {
        let days = i32::from(end <= at);
        let seen = |back: i32| self.day(start, -back);
        let written = (0..=1)
            .filter_map(seen)
            .find(|day| self.moment(*day, at) == Some(start));
        let day = written.and_then(|day| day.checked_add(days.days()).ok());
        let ends = day.and_then(|day| self.moment(day, end));
        // A gap can swallow a window whole; it is then as short as can be.
        ends.unwrap_or(start).max(start)
    }

    fn start_on(&self, days: &[Day], at: Time, day: Date) -> Option<Timestamp> {
        let listed = days.is_empty() || days.contains(&name(day.weekday()));
        listed.then(|| self.moment(day, at)).flatten()
    }

    /// A local time as a moment: in a gap of the clocks shifted forward, in a fold the first.
    fn moment(&self, day: Date, at: Time) -> Option<Timestamp> {
        let zoned = self.zone.to_zoned(day.to_datetime(at)).ok()?;
        Some(zoned.timestamp())
    }

    /// The local day of a moment, so many days on.
    fn day(&self, moment: Timestamp, ahead: i32) -> Option<Date> {
        let day = moment.to_zoned(self.zone.clone()).date();
        day.checked_add(ahead.days()).ok()
    }

    fn occurrence(
        &self,
        cron: &Cron,
        moment: Timestamp,
        inclusive: bool,
        direction: Direction,
    ) -> Option<Timestamp> {
        let from = moment.to_zoned(self.zone.clone());
        let found = match direction {
            Direction::Forward => cron.find_next_occurrence(&from, inclusive),
            Direction::Backward => cron.find_previous_occurrence(&from, inclusive),
        };
        found.ok().map(|zoned| zoned.timestamp())
    }
}

const fn name(day: Weekday) -> Day {
    match day {
        Weekday::Monday => Day::Mon,
        Weekday::Tuesday => Day::Tue,
        Weekday::Wednesday => Day::Wed,
        Weekday::Thursday => Day::Thu,
        Weekday::Friday => Day::Fri,
        Weekday::Saturday => Day::Sat,
        Weekday::Sunday => Day::Sun,
    }
}
