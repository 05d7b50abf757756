//! The wall clock's traps, unions, blackouts and what is said of them; here, what these tests share.

mod clocks;
mod instances;
mod openings;
mod properties;
mod words;

use crds::policy::{Blackout, Maintenance};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};

use super::{Schedule, WindowState};

fn schedule(windows: Value) -> Schedule {
    Schedule::parse(&maintenance(windows)).unwrap()
}

fn maintenance(windows: Value) -> Maintenance {
    serde_json::from_value(json!({"windows": windows})).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn opening(state: &WindowState) -> Option<(Timestamp, Timestamp)> {
    match state {
        WindowState::Always => None,
        WindowState::Open { start, end } => Some((*start, *end)),
        WindowState::Closed { next, .. } => *next,
    }
}

fn with_blackout(windows: Value, from: &str, to: &str) -> Schedule {
    let mut rules = maintenance(windows);
    rules.blackouts.push(Blackout {
        from: Time(at(from)),
        to: Time(at(to)),
        reason: Some("freeze".to_owned()),
    });
    Schedule::parse(&rules).unwrap()
}
