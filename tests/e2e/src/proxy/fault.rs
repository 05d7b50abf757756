//! What can go wrong between a program and the API server, and how often it does.

use crate::dice::Dice;

/// One thing that goes wrong with a request, or with a watch that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// A write is refused with 409, as if somebody else had written first.
    Conflict,
    /// Refused with 429, and nothing is said about when to come back.
    Throttled,
    /// Refused with 429 and `Retry-After: 1`.
    ThrottledFor,
    /// Refused with 500.
    InternalError,
    /// Refused with 503.
    Unavailable,
    /// The connection ends before the request has reached the API server.
    RequestLost,
    /// The API server has carried the request out; the connection ends before it could say so.
    ReplyLost,
    /// A write arrives twice. The first answer counts.
    Duplicated,
    /// The request arrives late, by up to a second and a half.
    Delayed,
    /// A watch ends in the middle.
    WatchReset,
    /// A watch says that its version is too old (an event with 410) and ends.
    WatchGone,
}

/// What kind of request it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// It changes nothing.
    Read,
    /// It may change something.
    Write,
    /// Half a second of a watch.
    Watch,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Conflict,
        Self::Throttled,
        Self::ThrottledFor,
        Self::InternalError,
        Self::Unavailable,
        Self::RequestLost,
        Self::ReplyLost,
        Self::Duplicated,
        Self::Delayed,
        Self::WatchReset,
        Self::WatchGone,
    ];

    /// Whether it can happen to a request of this kind.
    pub fn fits(self, ask: Ask) -> bool {
        match self {
            Self::Conflict | Self::Duplicated => ask == Ask::Write,
            Self::Throttled
            | Self::ThrottledFor
            | Self::InternalError
            | Self::Unavailable
            | Self::RequestLost
            | Self::ReplyLost
            | Self::Delayed => ask != Ask::Watch,
            Self::WatchReset | Self::WatchGone => ask == Ask::Watch,
        }
    }
}

/// Which faults there are now, and how often.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weather {
    /// Each request has one of these that fit it.
    pub faults: Vec<Fault>,
    /// In so many of a thousand cases.
    pub per_mille: u64,
}

impl Weather {
    /// Nothing goes wrong.
    pub fn fair() -> Self {
        Self::default()
    }

    /// What goes wrong with the next request of this kind.
    pub fn draw(&self, dice: &mut Dice, ask: Ask) -> Option<Fault> {
        let hit = dice.below(1000) < self.per_mille;
        let fit: Vec<_> = self.faults.iter().filter(|fault| fault.fits(ask)).collect();
        let drawn = dice.pick(&fit).copied().copied();
        drawn.filter(|_| hit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(weather: &Weather, ask: Ask) -> Vec<Fault> {
        let mut dice = Dice::new(7);
        let drawn = (0..1000).filter_map(|_| weather.draw(&mut dice, ask));
        drawn.collect()
    }

    #[test]
    fn faults_are_as_frequent_as_told_and_only_those_that_fit() {
        let weather = Weather {
            faults: Fault::ALL.to_vec(),
            per_mille: 200,
        };
        for ask in [Ask::Read, Ask::Write, Ask::Watch] {
            let drawn = drawn(&weather, ask);
            assert!(
                (150..250).contains(&drawn.len()),
                "{ask:?}: {}",
                drawn.len()
            );
            assert!(drawn.iter().all(|fault| fault.fits(ask)), "{ask:?}");
            let fits = Fault::ALL.iter().filter(|fault| fault.fits(ask));
            assert!(
                fits.into_iter().all(|fault| drawn.contains(fault)),
                "{ask:?}"
            );
        }
        assert_eq!(drawn(&weather, Ask::Read), drawn(&weather, Ask::Read));
    }

    #[test]
    fn nothing_goes_wrong_in_fair_weather_or_where_no_fault_fits() {
        assert_eq!(drawn(&Weather::fair(), Ask::Write), []);
        let watches = Weather {
            faults: vec![Fault::WatchReset],
            per_mille: 1000,
        };
        assert_eq!(drawn(&watches, Ask::Write), []);
        assert_eq!(drawn(&watches, Ask::Watch).len(), 1000);
    }
}
