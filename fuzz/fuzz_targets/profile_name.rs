//! Reads any text as the name of a MIG profile: it never panics, and what it accepts it writes back as it was.

#![no_main]

#[path = "../../crates/plan/src/profile/round_trip.rs"]
mod round_trip;

use plan::profile::{ProfileName, resource};

libfuzzer_sys::fuzz_target!(|text: &str| round_trip::holds(text));
